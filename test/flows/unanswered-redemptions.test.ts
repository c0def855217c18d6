import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OAuth } from '#lib/oauth/endpoints/deps'
import { createOAuth } from '#lib/oauth/endpoints/oauth'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'
import {
  type AuthorizationServer,
  ISSUER,
  startAuthorizationServer,
  VERIFIER,
} from '#test/support/authorization-server'

/** What becomes of a swap whose answer does not come: Gatehouse cannot tell these apart. */
type Loss = 'carried out' | 'not carried out'

let server: AuthorizationServer
let instance: OAuth
let other: OAuth
let outage: { swap: Loss; reads: boolean } | undefined
let lost: Operation[]
beforeEach(async () => {
  server = await startAuthorizationServer()
  outage = undefined
  lost = []
  instance = createOAuth({ ...server.deps, store: behindOutage(server.store) })
  other = createOAuth(server.deps)
})
afterEach(() => server.close())

/** A store of one instance: while there is an outage its swaps are not answered, or nothing is. */
function behindOutage(store: Store): Store {
  return {
    ...store,
    async run(operation) {
      if (!outage) return store.run(operation)
      if (operation.kind === 'swap') {
        lost.push(operation)
        if (outage.swap === 'carried out') await store.run(operation)
        outage.reads = false
      } else if (outage.reads) return store.run(operation)
      throw new StoreUnavailable('an outage of the test')
    },
  }
}

const start = (swap: Loss) => {
  outage = { swap, reads: true }
}

let sent = 0
function redeem(oauth: OAuth, clientId: string, code: string): Promise<Response> {
  const request = new Request(`${ISSUER}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      code_verifier: VERIFIER,
    }).toString(),
  })
  return oauth.token(request, { requestId: `sent-${sent++}` })
}

async function app() {
  const { client_id: clientId } = await server.register()
  return { clientId, code: await server.code(clientId) }
}

const losses: Loss[] = ['carried out', 'not carried out']

describe.each(losses)('a redemption without an answer, %s by the store', (loss) => {
  it('is no redemption: the same code is good again on the same instance, once', async () => {
    const { clientId, code } = await app()
    start(loss)
    await expect(redeem(instance, clientId, code)).rejects.toBeInstanceOf(StoreUnavailable)
    await expect(redeem(instance, clientId, code)).rejects.toBeInstanceOf(StoreUnavailable)
    outage = undefined
    const answer = await redeem(instance, clientId, code)
    expect(answer.status).toBe(200)
    const { access_token: token } = (await answer.json()) as { access_token: string }
    expect((await server.admit(token)).ok).toBe(true)

    expect((await redeem(instance, clientId, code)).status).toBe(400)
    expect((await server.admit(token)).ok).toBe(false)
  })

  it('is taken back by the instance in the background, so that another one takes the code', async () => {
    const { clientId, code } = await app()
    start(loss)
    await expect(redeem(instance, clientId, code)).rejects.toBeInstanceOf(StoreUnavailable)
    outage = undefined
    expect((await redeem(other, clientId, code)).status).toBe(200)
    expect((await redeem(other, clientId, code)).status).toBe(400)
  })

  it('cannot land later: what is still on its way loses its compare', async () => {
    const { clientId, code } = await app()
    start(loss)
    await expect(redeem(instance, clientId, code)).rejects.toBeInstanceOf(StoreUnavailable)
    outage = undefined
    const answer = await redeem(instance, clientId, code)
    expect(lost.length).toBeGreaterThan(0)
    for (const operation of lost) {
      expect(await server.store.run(operation)).toMatchObject({ done: false })
    }
    const { access_token: token } = (await answer.json()) as { access_token: string }
    expect((await server.admit(token)).ok).toBe(true)
  })

  it('does not outlive its code', async () => {
    const { clientId, code } = await app()
    start(loss)
    await expect(redeem(instance, clientId, code)).rejects.toBeInstanceOf(StoreUnavailable)
    server.pass(61)
    outage = undefined
    expect((await redeem(instance, clientId, code)).status).toBe(400)
    expect(await server.oauth.listGrants('ada')).toEqual([])
  })

  it('leaves one success when fifty come after it, at two instances', async () => {
    const { clientId, code } = await app()
    start(loss)
    await expect(redeem(instance, clientId, code)).rejects.toBeInstanceOf(StoreUnavailable)
    outage = undefined
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, racer) => redeem(racer % 2 === 0 ? instance : other, clientId, code)),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49)
  })
})
