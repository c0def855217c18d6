import type { z } from 'zod'
import type { Clock } from '#lib/core/clock'
import type { Random } from '#lib/core/random'
import type { AnswerTo, Asked, Pending, Question } from '#lib/mcp/question'
import type { Store } from '#lib/store/port'

/**
 * The contract of a tool: what a developer writes in `lib/tools`. One file is one tool; it serves both
 * protocol eras, HTTP and stdio, and knows none of them.
 */

/** Who is calling: the person, and the app that acts for them. */
export interface Caller {
  readonly accountId: string
  readonly client: {
    /** Stable across registrations of one app (DESIGN.md §6). Safe to log. */
    readonly key: string
    /** What the app calls itself. Written by the app: data, never an instruction. */
    readonly name: string
    /** Its domain vouches for it (a client id metadata document or a client the operator made). */
    readonly verified: boolean
    /** No app: a program with a personal access token. */
    readonly personal?: boolean
  }
  /** Scopes the access token carries. */
  readonly scopes: readonly string[]
}

/** What a tool may use while it runs. */
export interface ToolContext {
  readonly caller: Caller
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  /** Aborts when the caller cancels or leaves (2026-07-28) or cancels (2025). */
  readonly signal: AbortSignal
  /** Reports progress if the caller asked for it; `done` must grow. Never fails. */
  progress(done: number, total?: number, message?: string): Promise<void>
  /**
   * Asks the person, the model of their app, or the app. `key` names the question within this tool. While
   * tools, prompts and resources may ask, lists and suggestions may not: `unavailable`.
   */
  ask<const One extends Question>(key: string, question: One): Asked<AnswerTo<One>>
  /**
   * Writes into the app's own log, where it has one and wants this level (`logging/setLevel`, or the level that a
   * request of 2026-07-28 names). No secrets: people paste such logs. Never fails.
   */
  readonly log?: (level: 'debug' | 'info' | 'warning' | 'error', message: string) => void
  /** Tells this person's other apps that a resource, or the list of them, is not what it was. */
  readonly changed?: (change: Change) => void
  /** What a long tool had saved when it asked (`Pending`). */
  readonly saved?: unknown
}

/** What other apps of the same person may want to read again. */
export type Change = { readonly kind: 'resource'; readonly uri: string } | { readonly kind: 'resource_list' }

/** A reference to an MCP resource, for the host to fetch. */
export interface ResourceLink {
  readonly uri: string
  readonly name: string
  readonly title?: string
  readonly mimeType?: string
}

/** The result of a tool. `text` is for the model; `structured` is the same, typed by `output`. */
export type ToolOutcome<Output extends z.ZodObject> =
  | {
      readonly kind: 'done'
      readonly text: string
      readonly structured: z.input<Output>
      readonly links?: readonly ResourceLink[]
    }
  /** An error for the model to read: what went wrong and what to do instead (`isError: true`). */
  | { readonly kind: 'failed'; readonly text: string }
  | Pending

/** Behaviour hints (MCP tool annotations). Hosts ask the person before anything not read-only. */
export interface Annotations {
  readonly readOnlyHint?: boolean
  readonly destructiveHint?: boolean
  readonly idempotentHint?: boolean
  readonly openWorldHint?: boolean
}

export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  /** 1–40 characters of `[a-z0-9_]`: hosts add a prefix and cut at 64. */
  readonly name: string
  readonly title: string
  readonly description: string
  /** The scope that a call needs; a name of `scopes.ts`. */
  readonly scope: string
  readonly annotations: Annotations
  readonly input: Input
  readonly output: Output
  /**
   * What comes of an answer must not happen twice: a round of questions is good once, on whatever instance.
   * Whoever sends it again is refused. Costs one request to the store for each round that is answered.
   */
  readonly once?: boolean
  /** Present where `defineLongTool` made it: the same work in steps. */
  readonly long?: LongRun
  run(input: z.output<Input>, context: ToolContext): Promise<ToolOutcome<Output>>
}

/** What a step of a long tool ends with: what the next one begins with, a question, or the outcome. */
export type Step<Output extends z.ZodObject = z.ZodObject, State = unknown> =
  | Next<State>
  | ToolOutcome<Output>

/** A step is done and saved; it will not be run again. */
export interface Next<State = unknown> {
  readonly kind: 'next'
  /** JSON, at most `TASK_STATE_MAX_BYTES`. All that the next step knows of this one. */
  readonly state: State
  /** What is going on, in one line for the person. */
  readonly message?: string
  /** How far it is; `done` must grow. */
  readonly progress?: { readonly done: number; readonly total?: number }
  /** The next step begins no sooner: it waits for something elsewhere. */
  readonly afterMs?: number
}

/** The steps of a long tool, as the server runs them. */
export interface LongRun {
  /** `required`: never run within the call, so a client without the tasks extension is refused. */
  readonly tasks: 'optional' | 'required'
  /** Reads a saved state; fails for one that a release with other steps has left. */
  readonly state: z.ZodType
  begin(input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<Step>
  step(state: unknown, input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<Step>
  /** Runs the steps after `step` one after the other, within the call. */
  finish(
    step: Step,
    input: Readonly<Record<string, unknown>>,
    context: ToolContext,
  ): Promise<ToolOutcome<z.ZodObject>>
}

/** A prompt: a conversation starter the person picks in their app. */
export interface Prompt<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly scope: string
  /** String arguments only, as prompts have no others. */
  readonly input: Input
  /** Suggestions for an argument, by argument name. */
  readonly complete?: Readonly<
    Record<string, (typed: string, context: ToolContext) => Promise<readonly string[]>>
  >
  run(input: z.output<Input>, context: ToolContext): Promise<PromptOutcome | Pending>
}

export interface PromptOutcome {
  readonly kind?: 'done'
  readonly description?: string
  readonly messages: readonly PromptMessage[]
}

export interface PromptMessage {
  readonly role: 'user' | 'assistant'
  readonly content:
    | { readonly type: 'text'; readonly text: string }
    | ({ readonly type: 'resource_link' } & ResourceLink)
}

/** A family of resources under one URI template. */
export interface ResourceFamily {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly scope: string
  /** RFC 6570 level 1, e.g. `note://{id}`. */
  readonly template: string
  readonly mimeType: string
  list(context: ToolContext): Promise<readonly ListedResource[]>
  /** `undefined`: no such resource (or not this caller's: the same answer). */
  read(
    variables: Readonly<Record<string, string>>,
    context: ToolContext,
  ): Promise<ResourceText | Pending | undefined>
  complete?(variable: string, typed: string, context: ToolContext): Promise<readonly string[]>
}

export interface ResourceText {
  readonly kind?: 'done'
  readonly text: string
}

export interface ListedResource {
  readonly uri: string
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly mimeType: string
}

/** Everything a server offers; `lib/tools/index.ts` lists it. */
export interface Offer {
  readonly name: string
  readonly title: string
  readonly version: string
  readonly instructions: string
  readonly tools: readonly Tool[]
  readonly prompts: readonly Prompt[]
  readonly resources: readonly ResourceFamily[]
}

/** Types a tool by its schemas. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Tool<Input, Output>,
): Tool {
  // A tool is only ever run with input that its own schema has parsed.
  return tool as unknown as Tool
}

/** Types a prompt by its schema. */
export function definePrompt<Input extends z.ZodObject>(prompt: Prompt<Input>): Prompt {
  return prompt as unknown as Prompt
}
