import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { Tokens } from '../../_components/tokens'
import { fromStore, visit } from '../../visit'

export async function generateMetadata(): Promise<Metadata> {
  const { server } = await visit('/dashboard/tokens')
  return { title: `Your tokens · ${server.serverName}`, robots: { index: false } }
}

export default async function TokensPage({
  searchParams,
}: {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>
}) {
  const { server, dashboard, user } = await visit('/dashboard/tokens')
  if (!user) redirect('/sign-in')
  const shown = fromStore('/dashboard/tokens', dashboard.tokens(user))
  const [model, { ended }] = await Promise.all([shown, searchParams])
  // The address alone proves nothing: a token that is still listed has not ended.
  const hasEnded = typeof ended === 'string' && !model.tokens.some(({ id }) => id === ended)
  return <Tokens server={server} model={model} userName={user.name} ended={hasEnded} />
}
