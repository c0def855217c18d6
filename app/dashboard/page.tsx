import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { Connections } from '../_components/connections'
import { fromStore, visit } from '../visit'

export async function generateMetadata(): Promise<Metadata> {
  const { server } = await visit('/dashboard')
  return { title: `Your connections · ${server.serverName}`, robots: { index: false } }
}

export default async function DashboardPage({
  searchParams,
}: {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>
}) {
  const { server, dashboard, user } = await visit('/dashboard')
  if (!user) redirect('/sign-in')
  const shown = fromStore('/dashboard', dashboard.connections(user))
  const [model, { ended }] = await Promise.all([shown, searchParams])
  // The address alone proves nothing: a connection that is still listed has not ended.
  const hasEnded = typeof ended === 'string' && !model.connections.some(({ id }) => id === ended)
  return <Connections server={server} model={model} userName={user.name} ended={hasEnded} />
}
