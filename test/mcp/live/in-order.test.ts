import { describe, expect, it } from 'vitest'
import { createOrderedWriter } from '#lib/mcp/live/in-order'
import { append } from '#lib/store/operations'
import { type Operation, type Store, StoreUnavailable } from '#lib/store/port'

/** A store whose requests are answered by hand. */
function slowStore() {
  const requests: { operations: readonly Operation[]; answer: () => void; fail: () => void }[] = []
  const batch = (...operations: Operation[]) =>
    new Promise((resolve, reject) => {
      const fail = () => reject(new StoreUnavailable('store: out of reach'))
      requests.push({ operations, answer: () => resolve(operations.map(() => ({ id: '1-0' }))), fail })
    })
  return { requests, store: { batch } as unknown as Store }
}

const entry = (data: string) => append('log', data, { keep: 10 })
const written = (operations: readonly Operation[] | undefined) =>
  operations?.map((operation) => ('data' in operation ? operation.data : ''))
const turn = () => new Promise((resolve) => setTimeout(resolve))

describe('the ordered writer', () => {
  it('writes what is asked in one moment in one request', async () => {
    const { store, requests } = slowStore()
    const write = createOrderedWriter(store)
    for (const data of ['1', '2', '3']) void write(entry(data))
    await turn()
    expect(requests.map(({ operations }) => written(operations))).toEqual([['1', '2', '3']])
  })

  it('sends nothing while a request is out, and then everything that came', async () => {
    const { store, requests } = slowStore()
    const write = createOrderedWriter(store)
    void write(entry('1'))
    await turn()
    for (const data of ['2', '3']) void write(entry(data))
    await turn()
    expect(requests).toHaveLength(1)
    requests[0]?.answer()
    await turn()
    expect(written(requests[1]?.operations)).toEqual(['2', '3'])
  })

  it('goes on after a request that failed, whose writers hear of it', async () => {
    const { store, requests } = slowStore()
    const write = createOrderedWriter(store)
    const lost = write(entry('1'))
    await turn()
    const next = write(entry('2'))
    requests[0]?.fail()
    await expect(lost).rejects.toThrow(StoreUnavailable)
    await turn()
    requests[1]?.answer()
    await next
    expect(written(requests[1]?.operations)).toEqual(['2'])
  })

  it('does not make a request larger than the stores take', async () => {
    const { store, requests } = slowStore()
    const write = createOrderedWriter(store)
    const large = 'x'.repeat(3 * 1024 * 1024)
    for (const _ of [1, 2]) void write(entry(large))
    await turn()
    expect(requests[0]?.operations).toHaveLength(1)
    requests[0]?.answer()
    await turn()
    expect(requests[1]?.operations).toHaveLength(1)
  })
})
