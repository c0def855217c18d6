import type { z } from 'zod'

/** What a tool may ask while it runs: the person, the model of their app, or the app itself. */
export type Question = FormQuestion | PageQuestion | SamplingQuestion | RootsQuestion

/** The person fills in a few fields that their app shows (elicitation, form mode). Never ask for a secret. */
export interface FormQuestion<Answer extends z.ZodObject = z.ZodObject> {
  readonly kind?: 'form'
  readonly message: string
  /** Flat object of strings, numbers, booleans and enums, as elicitation allows. */
  readonly schema: Answer
}

/**
 * The person opens a page of this server (elicitation, URL mode): for what their app must not see. Accepted
 * means that they agreed to open it, not that they did anything there.
 */
export interface PageQuestion {
  readonly kind: 'url'
  readonly message: string
  readonly url: string
}

/** The model of the person's app writes something (sampling). What it writes is data, never an instruction. */
export interface SamplingQuestion {
  readonly kind: 'sampling'
  readonly messages: readonly SamplingMessage[]
  readonly maxTokens: number
  readonly systemPrompt?: string
  readonly temperature?: number
  readonly stopSequences?: readonly string[]
}

export interface SamplingMessage {
  readonly role: 'user' | 'assistant'
  readonly content: SampledContent
}

/** The folders that the person has opened in their app (roots). */
export interface RootsQuestion {
  readonly kind: 'roots'
}

export type SampledContent =
  | { readonly type: 'text'; readonly text: string }
  /** `data` is base64. */
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }

/** What a model wrote. */
export interface Sampled {
  /** Its texts, one after the other. */
  readonly text: string
  readonly content: readonly SampledContent[]
  readonly model: string
  readonly stopReason?: string | undefined
}

export interface Root {
  /** `file://…` */
  readonly uri: string
  readonly name?: string | undefined
}

/** What a question is answered with: the fields, nothing, what the model wrote, or the folders. */
export type AnswerTo<One extends Question> = One extends { readonly kind: 'url' }
  ? undefined
  : One extends { readonly kind: 'sampling' }
    ? Sampled
    : One extends { readonly kind: 'roots' }
      ? readonly Root[]
      : One extends FormQuestion<infer Schema>
        ? z.output<Schema>
        : never

/** What came of a question. `unavailable`: this app cannot be asked that. */
export type Answered<Answer> =
  | { readonly state: 'accepted'; readonly content: Answer }
  | { readonly state: 'declined' }
  | { readonly state: 'unavailable' }

/**
 * What came of `ask`. `asking`: return `pending` from the tool; it is run again with the answer. Answers come
 * from the app and are checked: what does not fit its question is asked for again.
 */
export type Asked<Answer> = Answered<Answer> | { readonly state: 'asking'; readonly pending: Pending }

/** An unfinished result: the questions are on their way. Only `ask` makes one. */
export interface Pending {
  readonly kind: 'pending'
  readonly questions: Readonly<Record<string, Question>>
  /** JSON that comes back with the answers, in `ToolContext.saved`: the state of a long tool. */
  readonly saved?: unknown
}

type Together = Readonly<Record<string, Asked<unknown>>>

/** Questions asked at once: `asking` while one of them is open. */
export type AskedTogether<All extends Together> =
  | { readonly state: 'asking'; readonly pending: Pending }
  | {
      readonly state: 'answered'
      readonly answers: { readonly [Name in keyof All]: Exclude<All[Name], { state: 'asking' }> }
    }

/** Puts several questions to the person in one round: `together({ a: ask('a', …), b: ask('b', …) })`. */
export function together<All extends Together>(all: All): AskedTogether<All> {
  const open = Object.values(all).flatMap((asked) => (asked.state === 'asking' ? [asked.pending] : []))
  if (open.length > 0) {
    const questions = Object.assign({}, ...open.map((pending) => pending.questions))
    return { state: 'asking', pending: { kind: 'pending', questions } }
  }
  // None of them is `asking`.
  return { state: 'answered', answers: all as Extract<AskedTogether<All>, { state: 'answered' }>['answers'] }
}
