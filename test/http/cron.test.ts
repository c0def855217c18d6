import { expect, it } from 'vitest'
import { cronDoor } from '#lib/http/cron'

const SECRET = 'a secret of the scheduler'
let runs = 0
const jobs = {
  tidy: async () => {
    runs += 1
    return { tidied: 3 }
  },
}
const ask = (secret: string | undefined, { path = 'tidy', method = 'GET', authorization = '' } = {}) =>
  cronDoor({ secret, jobs })(
    new Request(`http://localhost/api/cron/${path}`, { method, headers: { authorization } }),
  )
const good = { authorization: `Bearer ${SECRET}` }

it.each(['GET', 'POST'])(
  'runs a job for whoever brings the secret by %s, and says what it did',
  async (method) => {
    const response = await ask(SECRET, { ...good, method })
    expect([response.status, await response.json()]).toEqual([200, { job: 'tidy', tidied: 3 }])
    expect(response.headers.get('cache-control')).toBe('no-store')
  },
)

it.each([
  { what: 'no secret', how: {}, status: 401 },
  { what: 'a wrong secret', how: { authorization: 'Bearer wrong' }, status: 401 },
  { what: 'a secret cut short', how: { authorization: `Bearer ${SECRET.slice(0, -1)}` }, status: 401 },
  { what: 'another scheme', how: { authorization: `Basic ${SECRET}` }, status: 401 },
  { what: 'no secret for a job that is none', how: { path: 'nothing' }, status: 401 },
  { what: 'another method', how: { ...good, method: 'DELETE' }, status: 405 },
  { what: 'a job that is none', how: { ...good, path: 'nothing' }, status: 404 },
  { what: 'a member of every object', how: { ...good, path: 'constructor' }, status: 404 },
])('refuses $what with $status and runs nothing', async ({ how, status }) => {
  const before = runs
  expect((await ask(SECRET, how)).status).toBe(status)
  expect(runs).toBe(before)
})

it('is not there where no secret is configured', async () => {
  expect((await ask(undefined, { authorization: 'Bearer undefined' })).status).toBe(404)
})
