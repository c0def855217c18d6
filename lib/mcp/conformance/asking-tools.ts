import {
  acceptedContent,
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequests,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from '#lib/mcp/conformance/samples'
import type { RequestState } from '#lib/mcp/request-state'
import type { ServerExchange } from '#lib/mcp/server-exchange'

const Name = z.object({ name: z.string() })
const Color = z.object({ color: z.string() })
const Confirmed = z.object({ ok: z.boolean() })

const askName = inputRequired.elicit({ message: 'What is your name?', requestedSchema: Name })
const askColor = inputRequired.elicit({ message: 'What is your favourite colour?', requestedSchema: Color })
const askConfirmation = inputRequired.elicit({ message: 'Go on?', requestedSchema: Confirmed })
const askModel = (question: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  })

/** What one round of an asking tool sees. */
interface Round {
  readonly context: ServerContext
  /** Asks; with `remember` a sealed state goes along. */
  ask(inputRequests: InputRequests, remember?: unknown): Promise<ReturnType<typeof inputRequired>>
  answered(key: string): boolean
}

type Asking = (round: Round) => Promise<ReturnType<typeof inputRequired> | CallToolResult>

/** Tools that need several rounds (2026-07-28). */
export function registerAskingTools(server: McpServer, { state }: ServerExchange): void {
  for (const [name, description, run] of asking) {
    server.registerTool(name, { description }, (context) => run(roundOf(context, state)))
  }
}

function roundOf(context: ServerContext, state: RequestState | undefined): Round {
  return {
    context,
    answered: (key) => inputResponse(context.mcpReq.inputResponses, key).kind !== 'missing',
    async ask(inputRequests, remember) {
      if (remember === undefined || !state) return inputRequired({ inputRequests })
      return inputRequired({ inputRequests, requestState: await state.seal(remember) })
    },
  }
}

const asking: readonly (readonly [name: string, description: string, run: Asking])[] = [
  [
    'test_missing_capability',
    'Needs a client with a model',
    ({ ask }) => ask({ q: askModel('Anything?', 10) }),
  ],
  [
    'test_input_required_result_elicitation',
    'Asks for a name',
    async ({ context, ask }) => {
      const answer = acceptedContent(context.mcpReq.inputResponses, 'user_name', Name)
      return answer ? text(`Hello, ${answer.name}!`) : ask({ user_name: askName })
    },
  ],
  [
    'test_input_required_result_sampling',
    'Asks the model of the client',
    async ({ answered, ask }) =>
      answered('capital_question')
        ? text('Thank you.')
        : ask({ capital_question: askModel('What is the capital of France?', 100) }),
  ],
  [
    'test_input_required_result_list_roots',
    'Asks for the roots of the client',
    async ({ context, ask }) => {
      const answer = inputResponse(context.mcpReq.inputResponses, 'client_roots')
      if (answer.kind !== 'roots') return ask({ client_roots: inputRequired.listRoots() })
      return text(`Roots: ${answer.roots.map(({ name, uri }) => name ?? uri).join(', ')}`)
    },
  ],
  ['test_input_required_result_request_state', 'Asks, and remembers that it did', confirmWithState],
  ['test_input_required_result_tampered_state', 'Asks, and detects a changed state', confirmWithState],
  [
    'test_input_required_result_multiple_inputs',
    'Asks three things at once',
    async ({ answered, ask }) =>
      answered('user_name')
        ? text('Thank you.')
        : ask(
            {
              user_name: askName,
              greeting: askModel('Say hello', 50),
              client_roots: inputRequired.listRoots(),
            },
            { round: 1 },
          ),
  ],
  [
    'test_input_required_result_multi_round',
    'Asks in two rounds',
    async ({ context, answered, ask }) => {
      const round = z.object({ round: z.number() }).safeParse(context.mcpReq.requestState()).data?.round ?? 0
      if (round === 0 || !answered(`step${round}`)) return ask({ step1: askName }, { round: 1 })
      return round === 1 ? ask({ step2: askColor }, { round: 2 }) : text('Thank you.')
    },
  ],
  [
    'test_input_required_result_capabilities',
    'Asks only what the client can answer',
    async ({ context, answered, ask }) => {
      if (['user_name', 'greeting', 'client_roots'].some(answered)) return text('Thank you.')
      return ask(askable(context))
    },
  ],
]

async function confirmWithState({
  context,
  ask,
}: Round): Promise<ReturnType<typeof inputRequired> | CallToolResult> {
  const confirmed = acceptedContent(context.mcpReq.inputResponses, 'confirm', Confirmed)
  const remembered = context.mcpReq.requestState() !== undefined
  return confirmed && remembered ? text('state-ok') : ask({ confirm: askConfirmation }, { asked: true })
}

const Declared = z.object({
  [CLIENT_CAPABILITIES_META_KEY]: z.object({
    elicitation: z.unknown().optional(),
    sampling: z.unknown().optional(),
    roots: z.unknown().optional(),
  }),
})

function askable(context: ServerContext): InputRequests {
  const declared = Declared.safeParse(context.mcpReq.envelope).data?.[CLIENT_CAPABILITIES_META_KEY]
  return {
    ...(declared?.elicitation ? { user_name: askName } : {}),
    ...(declared?.sampling ? { greeting: askModel('Say hello', 50) } : {}),
    ...(declared?.roots ? { client_roots: inputRequired.listRoots() } : {}),
  }
}
