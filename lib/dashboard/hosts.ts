/** A piece of an instruction: plain words, or a label as the app shows it. */
export type Words = string | { readonly label: string }

export interface HostStep {
  readonly words: readonly Words[]
  /** One line to copy. */
  readonly copy?: { readonly name: string; readonly text: string }
}

/** How to add this server to one host. Drawn on the landing page and in the empty dashboard. */
export interface HostGuide {
  readonly id: string
  readonly name: string
  /** Opens the host with everything filled in. Absent where no such link exists or it could not work. */
  readonly install?: { readonly label: string; readonly href: string; readonly note: string }
  /** Why this host cannot reach the server as it runs now. */
  readonly obstacle?: string
  readonly steps: readonly HostStep[]
  /** Settings for those who write them by hand. */
  readonly settings?: { readonly name: string; readonly file?: string; readonly text: string }
}

export interface HostGuidesInput {
  /** The MCP URL, e.g. `https://notes.example.com/api/mcp`. */
  readonly url: string
  /** How hosts list the server: letters, digits, `-` and `_`. */
  readonly name: string
  /** How people call it. */
  readonly title: string
}

const label = (text: string): Words => ({ label: text })

/**
 * The exact steps for every host we name, most used first (HOSTS.md §3.1–3.6). Hosts that run in their
 * maker's cloud come with an obstacle and without an install link when the URL is not public https.
 */
export function hostGuides(input: HostGuidesInput): readonly HostGuide[] {
  return [claude(input), claudeCode(input), chatgpt(input), cursor(input), vscode(input), anyHost(input)]
}

/** The guide to open first: the first host that can reach the server. */
export function firstGuide(guides: readonly HostGuide[]): string {
  return (guides.find((guide) => guide.obstacle === undefined) ?? guides[0])?.id ?? ''
}

/** Hosts in a cloud call port 443 of a public name and nothing else. */
function cloudObstacle(url: string, host: string): { readonly obstacle?: string } {
  const { protocol, hostname, port } = new URL(url)
  const isPublic = protocol === 'https:' && port === '' && hostname !== 'localhost'
  if (isPublic) return {}
  return {
    obstacle:
      `${host} runs in its maker’s cloud and can only reach a public https address. ` +
      `This server is at ${new URL(url).origin}, so use an app on this computer, or publish the server first.`,
  }
}

function claude({ url, title }: HostGuidesInput): HostGuide {
  const blocked = cloudObstacle(url, 'Claude')
  const query = `connectorName=${encodeURIComponent(title)}&connectorUrl=${encodeURIComponent(url)}`
  const href = `https://claude.ai/customize/connectors?modal=add-custom-connector&${query}`
  return {
    id: 'claude',
    name: 'Claude',
    ...blocked,
    ...(blocked.obstacle ? {} : { install: { label: 'Add to Claude', href, note: 'or by hand:' } }),
    steps: [
      {
        words: [
          'In Claude on the web or desktop, open ',
          label('Customize'),
          ', then ',
          label('Connectors'),
          ', and choose ',
          label('Add custom connector'),
          '.',
        ],
      },
      { words: ['Paste this URL and choose ', label('Add'), '.'], copy: { name: 'the URL', text: url } },
      { words: ['Choose ', label('Connect'), '. This server opens and asks you what Claude may do.'] },
    ],
  }
}

function claudeCode({ url, name }: HostGuidesInput): HostGuide {
  return {
    id: 'claude-code',
    name: 'Claude Code',
    steps: [
      {
        words: ['Run this in a terminal.'],
        copy: { name: 'the command', text: `claude mcp add --transport http ${name} ${url}` },
      },
      { words: ['Start Claude Code and type this.'], copy: { name: 'the command', text: '/mcp' } },
      {
        words: [
          'Choose ',
          label(name),
          ', then ',
          label('Authenticate'),
          '. Your browser opens and asks you what Claude Code may do.',
        ],
      },
    ],
  }
}

function chatgpt({ url, title }: HostGuidesInput): HostGuide {
  return {
    id: 'chatgpt',
    name: 'ChatGPT',
    ...cloudObstacle(url, 'ChatGPT'),
    steps: [
      {
        words: [
          'In ChatGPT on the web, open ',
          label('Settings'),
          ', ',
          label('Apps'),
          ' (on some plans ',
          label('Connectors'),
          '), ',
          label('Advanced settings'),
          ', and turn on ',
          label('Developer mode'),
          '. In a workspace an administrator may have to allow it.',
        ],
      },
      {
        words: [
          'Go back, choose ',
          label('Create'),
          ', name it ',
          label(title),
          ', and paste this as ',
          label('MCP server URL'),
          '.',
        ],
        copy: { name: 'the URL', text: url },
      },
      {
        words: [
          'Leave ',
          label('Authentication'),
          ' at ',
          label('OAuth'),
          ', confirm, and choose ',
          label('Create'),
          '. This server opens and asks you what ChatGPT may do.',
        ],
      },
    ],
  }
}

function cursor({ url, name }: HostGuidesInput): HostGuide {
  const query = `name=${encodeURIComponent(name)}&config=${encodeURIComponent(base64(JSON.stringify({ url })))}`
  return {
    id: 'cursor',
    name: 'Cursor',
    install: {
      label: 'Add to Cursor',
      href: `cursor://anysphere.cursor-deeplink/mcp/install?${query}`,
      note: 'opens Cursor, then:',
    },
    steps: [
      { words: ['Choose ', label('Install'), ' in Cursor.'] },
      {
        words: [
          'In Cursor’s settings, under ',
          label('MCP'),
          ', choose ',
          label('Connect'),
          ' beside ',
          label(name),
          '. Your browser opens and asks you what Cursor may do.',
        ],
      },
    ],
    settings: {
      name: 'Cursor’s settings',
      file: '~/.cursor/mcp.json',
      text: pretty({ mcpServers: { [name]: { url } } }),
    },
  }
}

function vscode({ url, name }: HostGuidesInput): HostGuide {
  const entry = { name, type: 'http', url }
  return {
    id: 'vscode',
    name: 'VS Code',
    install: {
      label: 'Add to VS Code',
      href: `vscode:mcp/install?${encodeURIComponent(JSON.stringify(entry))}`,
      note: 'opens VS Code, then:',
    },
    steps: [
      { words: ['Choose ', label('Install'), ' in VS Code.'] },
      {
        words: [
          'When VS Code asks to sign in, choose ',
          label('Allow'),
          '. Your browser opens and asks you what VS Code may do.',
        ],
      },
    ],
    settings: {
      name: 'VS Code’s settings',
      file: '.vscode/mcp.json',
      text: pretty({ servers: { [name]: { type: 'http', url } } }),
    },
  }
}

function anyHost({ url, name }: HostGuidesInput): HostGuide {
  return {
    id: 'other',
    name: 'Other',
    steps: [
      {
        words: ['Most apps ask only for the URL. Choose HTTP (or “streamable HTTP”) and OAuth if asked.'],
        copy: { name: 'the URL', text: url },
      },
      {
        words: [
          'Apps set up with a file mostly read the settings below. Some call the list ',
          label('servers'),
          ' or the address ',
          label('serverUrl'),
          ' or ',
          label('httpUrl'),
          ': see your app’s guide.',
        ],
      },
      { words: ['Connect from the app. Your browser opens and asks you what it may do.'] },
    ],
    settings: {
      name: 'Settings as JSON',
      text: pretty({ mcpServers: { [name]: { type: 'http', url } } }),
    },
  }
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2)

/** Standard base64 of UTF-8, as deep links carry it. */
const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))
