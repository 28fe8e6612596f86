import { defineTopic } from '../../core/threads.ts'
import { type ErrorCode, GatewayError } from '../../core/errors.ts'
import type { EventAttributes } from '../../http/record.ts'

/** A request that somebody asks about. */
export interface Question {
  readonly method: string
  /** Null: of the URL "/path". */
  readonly scheme: 'http' | 'https' | null
  /** Host and port; "" for the address of the listener. */
  readonly host: string
  /** Path with query, as it would stand in the request line. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** null for none. */
  readonly body: string | null
  /** IP address of the client. */
  readonly from: string
  /** Name of the listener that it comes by; null: the first one of the scheme. */
  readonly listener: string | null
  /** Who it is taken to come from, without any proof; null: as its fields prove. */
  readonly as: AssumedConsumer | null
}

/** Who a request is taken to come from. */
export interface AssumedConsumer {
  readonly id: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly tier: string
  /** Id of the API key that it comes with; null for none. */
  readonly key: string | null
}

/** What a URL says: "https://host/path?query", or "/path?query" alone, which is taken as it stands. */
export type AskedUrl = Pick<Question, 'scheme' | 'host' | 'target'>

const URL_TEXT = /^(?:(https?):\/\/([^/?#]+))?([/?*][^#]*)?$/i

/** Reads a URL without changing anything in its path; null where it is none. */
export function readAskedUrl(url: string): AskedUrl | null {
  const [, scheme, host = '', rest = '/'] = URL_TEXT.exec(url) ?? []
  if (!URL_TEXT.test(url) || (host === '' && rest.startsWith('?'))) return null
  const target = rest.startsWith('?') ? `/${rest}` : rest
  return { scheme: scheme === undefined ? null : scheme.toLowerCase() === 'https' ? 'https' : 'http', host, target }
}

/** A field. Values under names that speak of a secret are masked. */
export interface ShownField {
  readonly name: string
  readonly value: string
}

/** A line of the routing table for the path of the request. */
export interface ShownCandidate {
  readonly route: string
  readonly pattern: string
  readonly host: string | null
  readonly listener: string | null
  /** What the request lacks to take it, in words; empty where one before it was taken, or it is the one. */
  readonly lacks: readonly string[]
  /** It is the one. */
  readonly taken: boolean
}

/** What became of a request at a policy. */
export const verdicts = ['passed', 'answered', 'refused', 'not-reached', 'not-run', 'off'] as const
export type Verdict = (typeof verdicts)[number]

/** Where the options of a policy come from. */
export const origins = ['general', 'route', 'general and route'] as const
export type Origin = (typeof origins)[number]

/** What a policy did to fields: names alone. */
export interface FieldChanges {
  readonly set: readonly string[]
  readonly removed: readonly string[]
}

/** One policy of the route. */
export interface ShownPolicy {
  readonly name: string
  readonly verdict: Verdict
  readonly origin: Origin
  /** Options that the route says itself, of one that has both. */
  readonly ofRoute: readonly string[]
  /** Of what it answered, or refused with; else null. */
  readonly status: number | null
  readonly code: ErrorCode | null
  /** Why, in words, where it refused. */
  readonly detail: string | null
  /** What it noted, by the names that spans have for it. */
  readonly events: readonly { readonly name: string; readonly attributes: EventAttributes }[]
  readonly request: FieldChanges
  readonly reply: FieldChanges
}

/** An instance of the service. */
export interface ShownInstance {
  readonly address: string
  readonly weight: number
  /** Of all workers. */
  readonly inFlight: number
  readonly state: string
  /** Why it gets no requests; null where it does. */
  readonly unusable: string | null
  /** It has come lately, and gets a part of its share. */
  readonly slowStart: boolean
  /** The balancer would take it now. */
  readonly next: boolean
}

/** Where the request would go. */
export interface ShownService {
  readonly name: string
  readonly balancer: string
  /** How many may wait for it at a time; null for any number. */
  readonly limit: number | null
  readonly instances: readonly ShownInstance[]
}

/** A request as it would leave. */
export interface ShownRequest {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly fields: readonly ShownField[]
}

/** What would become of a request, and why. Nothing of it is secret. */
export interface Explanation {
  /** Of the worker that was asked; null where no gateway runs. */
  readonly worker: number | null
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly from: string
  readonly listener: string
  readonly path: {
    readonly written: string
    /** Its normal form; null where it has none. */
    readonly normal: string | null
    readonly refused: string | null
  }
  readonly routes: {
    readonly candidates: readonly ShownCandidate[]
    /** Further ones for this path. */
    readonly more: number
    /** Those for other paths. */
    readonly others: number
  }
  readonly route: { readonly id: string; readonly pattern: string } | null
  readonly params: Readonly<Record<string, string>>
  readonly consumer: { readonly id: string; readonly tier: string; readonly roles: readonly string[] } | null
  readonly policies: readonly ShownPolicy[]
  /** What the route leads to, in words: what is divided, rewritten and copied. */
  readonly leads: readonly string[]
  readonly service: ShownService | null
  readonly outcome: 'sent' | 'replied'
  /** Of the reply of the gateway; null where the service is asked. */
  readonly status: number | null
  readonly code: ErrorCode | null
  readonly detail: string | null
  /** Fields of the reply; of one of a service those that the gateway adds to it. */
  readonly reply: readonly ShownField[]
  readonly sent: ShownRequest | null
  /** What could not be found out, and what else there is to know. */
  readonly notes: readonly string[]
}

/** What a worker is asked, by its number. */
export interface WorkerQuestion {
  readonly worker: number
  readonly question: Question
}

/** What a worker answers: the explanation, or why the question is none. */
export type WorkerAnswer = { readonly explanation: Explanation } | { readonly problem: string }

/** Asks one worker; the others answer null. */
export const explainTopic = defineTopic<WorkerQuestion, WorkerAnswer | null>('explain')

/** Answers a question by what `explain` says. Rejects with what goes wrong in the gateway. */
export async function answerQuestion(
  question: Question,
  explain: (question: Question) => Promise<Explanation>,
): Promise<WorkerAnswer> {
  try {
    return { explanation: await explain(question) }
  } catch (error) {
    if (error instanceof GatewayError && error.fault === 'client') return { problem: error.message }
    throw error
  }
}
