import type { CDPSession, Page } from 'playwright-core'

/** A device with a fingerprint reader, behind one tab. */
export interface Device {
  readonly session: CDPSession
  readonly id: string
  /** Whether the person touches it as soon as they are asked, also by a suggestion of the browser. */
  touches(at: boolean): Promise<unknown>
  credentials(): Promise<readonly { readonly signCount: number; readonly userHandle?: string }[]>
}

/** Adds such a device, which answers at once. */
export async function giveDevice(tab: Page): Promise<Device> {
  const session = await tab.context().newCDPSession(tab)
  await session.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId: id } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    session,
    id,
    touches: (enabled) =>
      session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: id, enabled }),
    credentials: async () =>
      (await session.send('WebAuthn.getCredentials', { authenticatorId: id })).credentials,
  }
}
