/**
 * Where a person goes after signing in: back to the authorization request they came from, which the
 * authorization endpoint opens and checks, or to a page of ours. Never to an address from outside.
 */
export const goOn = (rt: string | undefined, otherwise: string): string =>
  rt === undefined ? otherwise : `/oauth/authorize?rt=${encodeURIComponent(rt)}`
