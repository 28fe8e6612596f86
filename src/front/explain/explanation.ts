import { defineTopic } from '../../core/threads.ts'
import { GatewayError } from '../../core/errors.ts'
import type { EventAttributes } from '../../http/record.ts'

/** A request to be explained. */
export interface Question {
  readonly method: string
  /** Null for a URL of the form "/path". */
  readonly scheme: 'http' | 'https' | null
  /** Host and port; "" to use the address of the listener. */
  readonly host: string
  /** Path with query, as in the request line. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** null for none. */
  readonly body: string | null
  /** IP address of the client. */
  readonly from: string
  /** Name of the listener that receives it; null for the first listener of the scheme. */
  readonly listener: string | null
  /** Consumer to assume without authentication; null to authenticate by the headers. */
  readonly as: AssumedConsumer | null
}

/** An assumed consumer of a request. */
export interface AssumedConsumer {
  readonly id: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly tier: string
  /** ID of the API key used; null for none. */
  readonly key: string | null
}

/** Parts of a URL: "https://host/path?query", or "/path?query", which is taken literally. */
export type AskedUrl = Pick<Question, 'scheme' | 'host' | 'target'>

const URL_TEXT = /^(?:(https?):\/\/([^/?#]+))?([/?*][^#]*)?$/i

/** Parses a URL without normalizing its path; null if it is invalid. */
export function readAskedUrl(url: string): AskedUrl | null {
  const [, scheme, host = '', rest = '/'] = URL_TEXT.exec(url) ?? []
  if (!URL_TEXT.test(url) || (host === '' && rest.startsWith('?'))) return null
  const target = rest.startsWith('?') ? `/${rest}` : rest
  return { scheme: scheme === undefined ? null : scheme.toLowerCase() === 'https' ? 'https' : 'http', host, target }
}

/** A header. Values of headers whose names suggest a secret are masked. */
export interface ShownField {
  readonly name: string
  readonly value: string
}

/** A line of the routing table that matches the request's path. */
export interface ShownCandidate {
  readonly route: string
  readonly pattern: string
  readonly host: string | null
  readonly listener: string | null
  /** In words, which conditions the request does not meet; empty if this line or an earlier one was selected. */
  readonly lacks: readonly string[]
  /** Whether this line was selected. */
  readonly selected: boolean
}

/** How a policy treated the request. */
export const verdicts = ['passed', 'answered', 'refused', 'not-reached', 'not-run', 'off'] as const
export type Verdict = (typeof verdicts)[number]

/** Origin of a policy's options. */
export const origins = ['global', 'route', 'global and route'] as const
export type Origin = (typeof origins)[number]

/** How a policy changed headers: names only. */
export interface FieldChanges {
  readonly set: readonly string[]
  readonly removed: readonly string[]
}

/** One policy of the route. */
export interface ShownPolicy {
  readonly name: string
  readonly verdict: Verdict
  readonly origin: Origin
  /** Options set by the route itself, if there are global options too. */
  readonly ofRoute: readonly string[]
  /** Status of the reply or rejection, if any; otherwise null. */
  readonly status: number | null
  readonly code: string | null
  /** Reason for the rejection, in words. */
  readonly detail: string | null
  /** Events it recorded, with their names in traces. */
  readonly events: readonly { readonly name: string; readonly attributes: EventAttributes }[]
  readonly request: FieldChanges
  readonly reply: FieldChanges
}

/** An instance of the service. */
export interface ShownInstance {
  readonly address: string
  readonly weight: number
  /** Across all workers. */
  readonly inFlight: number
  readonly state: string
  /** Why it gets no requests; null if it does. */
  readonly unusable: string | null
  /** Whether it is new and gets less than its full share. */
  readonly slowStart: boolean
  /** Whether the balancer would select it now. */
  readonly next: boolean
}

/** The service the request would go to. */
export interface ShownService {
  readonly name: string
  readonly balancer: string
  /** Limit of concurrent requests; null if there is none. */
  readonly limit: number | null
  readonly instances: readonly ShownInstance[]
}

/** The request as it would be forwarded. */
export interface ShownRequest {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly fields: readonly ShownField[]
}

/** What would happen to a request, and why. Contains no secrets. */
export interface Explanation {
  /** Number of the worker that was asked; null if no gateway is running. */
  readonly worker: number | null
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly from: string
  readonly listener: string
  readonly path: {
    readonly written: string
    /** The normalized path; null if there is none. */
    readonly normal: string | null
    readonly refused: string | null
  }
  readonly routes: {
    readonly candidates: readonly ShownCandidate[]
    /** Number of further lines for this path. */
    readonly more: number
    /** Number of lines of routes for other paths. */
    readonly others: number
  }
  readonly route: { readonly id: string; readonly pattern: string } | null
  readonly params: Readonly<Record<string, string>>
  readonly consumer: { readonly id: string; readonly tier: string; readonly roles: readonly string[] } | null
  readonly policies: readonly ShownPolicy[]
  /** The route's actions in words: splits, rewrites and mirrors. */
  readonly leads: readonly string[]
  readonly service: ShownService | null
  readonly outcome: 'sent' | 'replied'
  /** Status if the gateway replies itself; null if the service is called. */
  readonly status: number | null
  readonly code: string | null
  readonly detail: string | null
  /** Headers of the reply; for a service's reply, those that the gateway adds. */
  readonly reply: readonly ShownField[]
  readonly sent: ShownRequest | null
  /** What could not be determined, and other remarks. */
  readonly notes: readonly string[]
}

/** A question for the worker with that number. */
export interface WorkerQuestion {
  readonly worker: number
  readonly question: Question
}

/** A worker's answer: the explanation, or why the question is invalid. */
export type WorkerAnswer = { readonly explanation: Explanation } | { readonly problem: string }

/** Addressed to one worker; the others answer null. */
export const explainTopic = defineTopic<WorkerQuestion, WorkerAnswer | null>('explain')

/** Answers a question using `explain`. Rejects with errors of the gateway itself. */
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
