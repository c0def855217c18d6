import { equalInConstantTime, sha256 } from '#lib/core/hash'
import { NO_STORE } from '#lib/http/headers'

/** Work that a scheduler starts. It answers what it did, in numbers. */
export type Job = () => Promise<Readonly<Record<string, number>>>

/**
 * `/api/cron/{job}`: runs a job for a scheduler that brings `CRON_SECRET` as its bearer token, by GET as
 * Vercel's does, or by POST. Without that variable there is nothing here. A wrong secret costs no request to
 * the store and does not tell which jobs there are.
 */
export function cronDoor({
  secret,
  jobs,
}: {
  readonly secret: string | undefined
  readonly jobs: Readonly<Record<string, Job>>
}): (request: Request) => Promise<Response> {
  return async (request) => {
    if (secret === undefined) return refused(404, 'not_found')
    if (!(await brings(request, secret))) return refused(401, 'unauthorized')
    if (request.method !== 'GET' && request.method !== 'POST') return refused(405, 'method_not_allowed')

    const name = new URL(request.url).pathname.split('/').at(-1) ?? ''
    const done = Object.hasOwn(jobs, name) ? await jobs[name]?.() : undefined
    return done ? Response.json({ job: name, ...done }, { headers: NO_STORE }) : refused(404, 'not_found')
  }
}

/** Hashes have one length: nothing is told by how long the comparison takes. */
async function brings(request: Request, secret: string): Promise<boolean> {
  const given = await sha256(request.headers.get('authorization') ?? '')
  return equalInConstantTime(given, await sha256(`Bearer ${secret}`))
}

const headersOf: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  401: { 'WWW-Authenticate': 'Bearer' },
  405: { Allow: 'GET, POST' },
}

const refused = (status: number, error: string): Response =>
  Response.json({ error }, { status, headers: { ...NO_STORE, ...headersOf[status] } })
