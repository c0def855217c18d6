import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { Account } from '../../_components/account'
import { fromStore, visit } from '../../visit'

export async function generateMetadata(): Promise<Metadata> {
  const { server } = await visit('/dashboard/account')
  return { title: `Your account · ${server.serverName}`, robots: { index: false } }
}

export default async function AccountPage({
  searchParams,
}: {
  readonly searchParams: Promise<Readonly<Record<string, string | string[] | undefined>>>
}) {
  const { server, dashboard, user } = await visit('/dashboard/account')
  if (!user) redirect('/sign-in')
  const shown = fromStore('/dashboard/account', dashboard.account(user))
  const [model, asked] = await Promise.all([shown, searchParams])
  return <Account server={server} model={model} userName={user.name} asked={asked} />
}
