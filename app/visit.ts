import { headers } from 'next/headers'
import { connection } from 'next/server'
import { cache } from 'react'
import { services } from '#lib/services'

/** Who opens a page, and what the page can show them. Once a request, however often it is asked. */
export const visit = cache(async (path: string) => {
  await connection()
  const { config, identity, dashboard } = await services()
  const request = new Request(new URL(path, config.publicUrl), { headers: new Headers(await headers()) })
  return { server: dashboard.landing, dashboard, user: await identity.currentUser(request) }
})
