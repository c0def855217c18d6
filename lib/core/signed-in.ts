/** The person behind a browser request: who they are and which browser session says so. */
export interface SignedIn {
  readonly accountId: string
  /** Rises when everything the account holds must end. */
  readonly epoch: number
  /** How the person is called on pages. */
  readonly name: string
  readonly role: 'owner' | 'member'
  /** The browser session, as its hash: CSRF tokens and consent are bound to it. */
  readonly sessionHash: string
}
