import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { connection } from 'next/server'
import { cache } from 'react'
import { unavailableHref } from '#lib/http/unavailable'
import { services } from '#lib/services'

/** Pages for those who are signed in. */
type OwnPage = Parameters<typeof unavailableHref>[0]

/** Who opens a page, and what the page can show them. Once a request, however often it is asked. */
export const visit = cache(async (path: '/' | OwnPage) => {
  await connection()
  const { config, identity, dashboard } = await services()
  const request = new Request(new URL(path, config.publicUrl), { headers: new Headers(await headers()) })
  const user = identity.currentUser(request)
  // The front page is for everybody: while nobody can tell who it is, it greets a stranger.
  const known = path === '/' ? user.catch(strangerInOutage) : fromStore(path, user)
  return { server: dashboard.landing, dashboard, user: await known }
})

/** Waits for what a page shows. While the store does not answer the browser goes to a page that says so. */
export const fromStore = <Value>(page: OwnPage, value: Promise<Value>): Promise<Value> =>
  value.catch((error: unknown) => {
    if (isOutage(error)) redirect(unavailableHref(page))
    throw error
  })

function strangerInOutage(error: unknown): undefined {
  if (!isOutage(error)) throw error
}

/** By name: pages have their own copy of the class, and the store was made by another. */
const isOutage = (error: unknown): boolean => error instanceof Error && error.name === 'StoreUnavailable'
