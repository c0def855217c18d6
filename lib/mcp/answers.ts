import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequest,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  ProtocolError,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { REQUEST_STATE_MAX_LENGTH } from '#lib/config/limits'
import type { Random } from '#lib/core/random'
import { type RawAnswer, readAnswer } from '#lib/mcp/answer-schemas'
import type { AnswerTo, Asked, Pending, Question } from '#lib/mcp/question'
import type { RequestState } from '#lib/mcp/request-state'
import { INVALID_PARAMS } from '#lib/mcp/rpc-error'
import type { ServerExchange } from '#lib/mcp/server-exchange'

/** Answers of earlier rounds and the questions that are out: the sealed state of a call. */
export const StateSchema = z.object({
  /** Names this round. */
  id: z.string(),
  asked: z.array(z.string()),
  answers: z.record(z.string(), z.record(z.string(), z.unknown())),
  /** Of a long tool: where it goes on. */
  saved: z.unknown().optional(),
})
type State = z.infer<typeof StateSchema>

/** What was answered so far in this call, over all its rounds. */
export interface Answers {
  /** What was saved with the last questions. */
  readonly saved: unknown
  ask<const One extends Question>(key: string, question: One): Asked<AnswerTo<One>>
  /**
   * Sends questions out and gives what the handler returns: the result that carries them (2026-07-28), or
   * `parked`, which the transport drops because the questions went out by themselves (2025).
   *
   * @throws ProtocolError -32602 when the answers so far are too long to be kept
   */
  request<Parked>(pending: Pending, parked: Parked): Promise<InputRequiredResult | Parked>
}

/**
 * Reads the answers of a call. An answer counts only if the sealed state says that its question was asked:
 * a client cannot answer what nobody asked it.
 *
 * @throws whatever kept the state from being looked up
 */
export function readAnswers(context: ServerContext, exchange: ServerExchange, random: Random): Answers {
  const state = context.mcpReq.requestState()
  if (state instanceof Error) throw state

  // Most calls ask nothing: the answers and the capabilities are looked at when a tool asks.
  let answers: State['answers'] | undefined
  let capabilities: Capabilities | undefined
  const known = () => {
    answers ??= collect(state, context.mcpReq.inputResponses)
    return answers
  }
  const sealer = exchange.era === 'modern' || exchange.park ? exchange.state : undefined
  const canAnswer = (question: Question) => {
    capabilities ??= capabilitiesOf(context, exchange)
    return sealer !== undefined && covers(capabilities, question)
  }

  return {
    saved: StateSchema.safeParse(state).data?.saved,

    ask: <One extends Question>(key: string, question: One): Asked<AnswerTo<One>> =>
      canAnswer(question) ? judge(key, question, known()[key]) : { state: 'unavailable' },

    async request(pending, parked) {
      if (!sealer) throw new Error('a tool asked a client that cannot be asked')
      const requestState = await seal(pending, known(), { sealer, random })
      const inputRequests = requestsOf(pending, exchange.era, random)
      if (exchange.era === 'modern') return inputRequired({ inputRequests, requestState })
      exchange.park?.(inputRequests, requestState, context.mcpReq.id)
      return parked
    },
  }
}

function collect(sealed: unknown, responses: ServerContext['mcpReq']['inputResponses']): State['answers'] {
  const state = StateSchema.safeParse(sealed)
  if (!state.success) return {}

  const all: Record<string, RawAnswer> = { ...state.data.answers }
  for (const key of state.data.asked) {
    const answer = responses?.[key] as RawAnswer | null | undefined
    if (answer) all[key] = answer
  }
  return all
}

/** What an answer is to its question; `asking` when there is none, or none that fits. */
export function judge<One extends Question>(
  key: string,
  question: One,
  answer: RawAnswer | undefined,
): Asked<AnswerTo<One>> {
  const read = answer && readAnswer(question, answer)
  return read ?? { state: 'asking', pending: { kind: 'pending', questions: { [key]: question } } }
}

async function seal(
  { questions, saved }: Pending,
  answers: State['answers'],
  { sealer, random }: { readonly sealer: RequestState; readonly random: Random },
): Promise<string> {
  // What is asked again was not answered.
  const kept = Object.entries(answers).filter(([key]) => !Object.hasOwn(questions, key))
  const state: State = {
    id: random(16),
    asked: Object.keys(questions),
    answers: Object.fromEntries(kept),
    saved,
  }
  const sealed = await sealer.seal(state)
  if (sealed.length <= REQUEST_STATE_MAX_LENGTH) return sealed
  throw new ProtocolError(INVALID_PARAMS, 'The answers are too long to be kept until the next question')
}

function requestsOf({ questions }: Pending, era: ServerExchange['era'], random: Random): InputRequests {
  return Object.fromEntries(
    Object.entries(questions).map(([key, question]) => [key, requestOf(question, era, random)]),
  )
}

/** A question on the wire. */
export function requestOf(question: Question, era: ServerExchange['era'], random: Random): InputRequest {
  switch (question.kind) {
    case 'url': {
      const { message, url } = question
      const request = inputRequired.elicitUrl({ message, url })
      // The 2025 revision names each page that is to be opened; 2026-07-28 has no such name.
      return era === 'modern'
        ? request
        : { method: 'elicitation/create', params: { mode: 'url', message, url, elicitationId: random(16) } }
    }
    case 'sampling': {
      const { kind: _kind, messages, stopSequences, ...rest } = question
      return inputRequired.createMessage({
        ...rest,
        messages: messages.map((message) => ({ ...message })),
        ...(stopSequences ? { stopSequences: [...stopSequences] } : {}),
      })
    }
    case 'roots':
      return inputRequired.listRoots()
    default:
      return inputRequired.elicit({ message: question.message, requestedSchema: question.schema })
  }
}

/** The parts of a client's capabilities that say what it can be asked. Others, and nonsense, mean nothing. */
const declared = z.record(z.string(), z.unknown()).optional().catch(undefined)
const CapabilitiesSchema = z.object({ elicitation: declared, sampling: declared, roots: declared }).catch({})
export type Capabilities = z.infer<typeof CapabilitiesSchema>

/** In 2026-07-28 each request declares them; in the 2025 era the session did. */
export function capabilitiesOf({ mcpReq }: ServerContext, exchange: ServerExchange): Capabilities {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined
  return CapabilitiesSchema.parse(
    exchange.era === 'modern' ? envelope?.[CLIENT_CAPABILITIES_META_KEY] : exchange.clientCapabilities,
  )
}

/** Whether a client with these capabilities can be asked that. */
export function covers({ elicitation, sampling, roots }: Capabilities, { kind }: Question): boolean {
  switch (kind) {
    case 'url':
      return elicitation?.['url'] !== undefined
    case 'sampling':
      return sampling !== undefined
    case 'roots':
      return roots !== undefined
    default:
      // Elicitation without any mode means forms, because that was all there was.
      return elicitation !== undefined && ('form' in elicitation || !('url' in elicitation))
  }
}
