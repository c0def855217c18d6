import type { Metadata } from 'next'
import { Landing } from './_components/landing'
import { visit } from './visit'

export async function generateMetadata(): Promise<Metadata> {
  const { server } = await visit('/')
  return {
    title: server.serverName,
    description: `Connect the AI apps you use to ${server.serverName}. You decide what each may do.`,
  }
}

export default async function LandingPage() {
  const { server, user } = await visit('/')
  return <Landing model={server} signedIn={user !== undefined} />
}
