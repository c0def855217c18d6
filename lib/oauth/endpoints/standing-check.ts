import { standingFault } from '#lib/oauth/client-standing'
import { standingOf, standingRead } from '#lib/oauth/endpoints/client-standing'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import type { SigningKeySet } from '#lib/oauth/endpoints/signing-key-set'
import { isPersonal } from '#lib/oauth/personal-token'

/**
 * What a call's one request reads besides grant, account and rate: how the client stands, and the signing keys
 * when memory is older than 10 seconds. A personal token has no client and no signature.
 */
export const standingCheck =
  (signingKeys: SigningKeySet): OAuth['standingCheck'] =>
  (claims) => {
    if (isPersonal(claims)) return { operations: [], decide: async () => true }

    const { clientKeyHash, clientEpoch, keyId } = claims
    const along = signingKeys.readAlong()
    return {
      operations: [standingRead(clientKeyHash), ...(along ? [along.operation] : [])],
      async decide([standing, keysText]) {
        if (standing === undefined || standingFault(standingOf(standing), clientEpoch)) return false
        if (!along || keysText === undefined) return true
        const { verifiers } = await along.absorb(keysText)
        return keyId !== undefined && verifiers.has(keyId)
      },
    }
  }
