import type { Body } from './body.ts'
import type { ClientCertificate } from './client-certificate.ts'
import type { GatewayError } from '../core/errors.ts'
import type { GrpcCall } from '../grpc/call.ts'
import type { Headers } from './headers.ts'
import type { Protocol } from './received-head.ts'
import type { PathForms } from './path-forms.ts'
import type { ExchangeRecord } from './record.ts'
import type { Reply } from './reply.ts'
import type { Trace } from './trace.ts'

export type { GrpcCall } from '../grpc/call.ts'

/** What a policy, a log line or a metric may know of the route that an exchange took. */
export interface RouteInfo {
  readonly id: string
  /** The path pattern that matched, such as "/api/v1/users/*": a label of bounded cardinality. */
  readonly pattern: string
  /**
   * Name of the service it leads to, or null for a fixed reply, a redirect, files, or no match. Where requests are divided between several, the
   * first of them until one is chosen, which is after all policies.
   */
  readonly service: string | null
  /** Whether its requests have lines in the access log. Default true. */
  readonly logged?: boolean
  /** Whether both sides of its exchanges may send as much as they like, and be silent for as long as they like. Default false. */
  readonly streaming?: boolean
}

/** Who calls: a user, the holder of an API key, or anonymous (then null on the exchange). */
export interface Consumer {
  /** The user's, or of an API key its owner's. */
  readonly id: string
  readonly roles: readonly string[]
  /** What the token was granted for (RFC 6749 section 3.3); none for an API key. */
  readonly scopes: readonly string[]
  /** Which limits apply: "authenticated" or "api_key" unless the token or the key says otherwise. */
  readonly tier: string
  /** Id of the API key that came with the request, or null for a token. */
  readonly key: string | null
  /** What the token, or the user service, says; nothing for an API key. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The client as the gateway sees it, after believing trusted proxies and nobody else. */
export interface Client {
  /** IP address in text form. */
  readonly address: string
  readonly scheme: 'http' | 'https'
  /** Host and port that the client asked the first proxy for, where one that is believed says so; else null. */
  readonly host: string | null
  /** A trusted proxy has sent the request: what such a proxy sets in each of them is its word. */
  readonly proxied: boolean
  /** What such a proxy says besides, and passes on, each "Name: value\r\n". */
  readonly claims: string
  /**
   * The certificate that it has shown, on a listener that asks for one; null where it has shown none, or speaks through a
   * trusted proxy, whose certificate would be that of nobody in particular.
   */
  readonly certificate: ClientCertificate | null
  /**
   * The address of the peer, and those from which it and the trusted proxies before it got the request, the last one of somebody who is not
   * trusted. Whom a field of its own names as the client is none of them: anybody may write it to a proxy that passes it on.
   */
  readonly hops: readonly string[]
  /** The certificate that the peer has shown, whoever the client is; null where it has shown none. */
  readonly peerCertificate: ClientCertificate | null
  /** X-Forwarded-For, -Proto and -Host for the service, each "Name: value\r\n", when the client asked for that host. */
  forwardingFields(host: string): string
}

/** What came: the request, and what policies have made of it. */
export interface RequestFacts {
  readonly method: string
  /** The version of HTTP that the client speaks. */
  readonly protocol: Protocol
  /** Normal form of the path, which is matched and logged. Starts with "/". */
  path: string
  /** How else it is written, or may be read; null for a path that has one form. */
  forms: PathForms | null
  /** "?…" as it came, or "". */
  query: string
  /**
   * Path and query as a client asked for them, which may stand in a request line: what a policy has made of them need not.
   * Null where the gateway asks on its own behalf.
   */
  readonly target: string | null
  /** Host and port as the client named them, or "" (HTTP/1.0 may leave it out). */
  readonly host: string
  /** End-to-end request fields without Host; hop-by-hop and forwarding fields are already taken out. */
  readonly headers: Headers
  body: Body
  /** The protocol that the client would like to change to, such as "websocket"; null where it does not ask. */
  readonly upgrade: string | null
  /** The client takes trailers (RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean
  /** The client sends its body after 100 (Continue) only (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  readonly client: Client
  /** Name of the listener that it came by; "" where the gateway asks on its own behalf. */
  readonly listener: string
  /** Monotonic milliseconds at which the head was complete. */
  readonly start: number
  /** What was wrong with the request when its body had not been read; it goes no further than the policies. */
  readonly refusal: GatewayError | null
}

/** An attempt to have an exchange answered that came to nothing, or whose reply was none for the client. */
export interface FailedAttempt {
  /** Host and port. */
  readonly instance: string
  /** How far it came: "connect", "reply" or "body". */
  readonly phase: string
  /** Why, in a word, or null where there was a reply. */
  readonly reason: string | null
  /** Of the reply; 0 where there is none. */
  readonly status: number
  /** Milliseconds. */
  readonly took: number
  /** Another one was asked because of it. */
  readonly again: boolean
  /** What went wrong; null where the reply says that. */
  readonly error: GatewayError | null
}

/** What is decided and found out on the way, for the steps that follow, the log, the metrics and the traces. */
export interface ExchangeNotes {
  /** "" until the correlation-id policy, or the first error reply, has set it. */
  correlationId: string
  route: RouteInfo
  /** Values of the {parameters} of the route's pattern, percent-decoded. */
  params: Readonly<Record<string, string>>
  consumer: Consumer | null
  /** Whether pages of an origin may send the user's cookies here, as the cors policy has it; null where none says so. */
  sharesCredentials: ((origin: string) => boolean) | null
  /** Address of the instance that was tried last, or null. */
  instance: string | null
  /** How often an instance was asked. */
  attempts: number
  /** Why another one was asked after the one before: a word of a few, or null where none was. */
  retried: string | null
  /** The attempts that came to nothing, the first ones where there were many; null where none did. */
  failures: FailedAttempt[] | null
  /** Milliseconds that services have taken for it, up to the head of each reply, connecting included. */
  serviceTime: number
  /** Milliseconds that were spent waiting for the client to send its body, before a service was asked. */
  clientTime: number
  /** Monotonic milliseconds at which a reply began that is written bit by bit; null before, and where it is written at once. */
  repliedAt: number | null
  /** What the reply tells the client of, for the log and the metrics; null where nothing failed in the gateway. */
  error: GatewayError | null
  /** The trace that it is part of; its traceparent and tracestate are not among the header fields. */
  readonly trace: Trace
  /** Takes what is decided on the way, for spans and timings; null where nobody will read it. */
  readonly record: ExchangeRecord | null
  /** The client has left: whatever is still done for the exchange is for nobody. */
  readonly aborted: boolean
  /** What there is to know of it as a call of gRPC; null for all else. */
  grpc: GrpcCall | null
  /** Members of its line in the access log that were made when it came, each after a comma; "" for none. */
  readonly noted: string
  /** Further fields of its line in the access log; null for none. */
  logFields: Readonly<Record<string, string>> | null
}

/** Something that ends early when the client leaves. */
export interface Abortable {
  abort(): void
}

/** Changes a reply in place; `state` is what was found out before it came. */
export type ReplyEdit<State> = (reply: Reply, exchange: Exchange, state: State) => void

/** A reply that is to come from a service, and where edits of it may be left until then. */
export interface AwaitedReply {
  /** The reply with all edits that were left until it came. */
  readonly promise: Promise<Reply>
  /** Leaves an edit, to be applied after those that are here already. */
  leave<State>(edit: ReplyEdit<State>, state: State): void
}

/** What is under way towards a service, and what ends it. */
export interface AttemptState {
  /** Told when the client leaves before the reply has begun; set by whoever waits for the service. */
  waiter: Abortable | null
  /** The reply that a service is asked for now; set while it is to come. */
  pending: AwaitedReply | null
  /** Some of the request may have reached a service. */
  sent: boolean
  /** What was sent is answered to its end though the client leaves, as somebody keeps the reply. */
  outlivesClient: boolean
  /**
   * Passes on an interim response, such as 103 (Early Hints, RFC 8297), to a client that understands it. Throws a
   * RangeError for a status that is not one of 102 to 199.
   */
  inform(status: number, headers: Headers): void
}

/** One request and its reply while they are inside the gateway. */
export interface Exchange extends RequestFacts, ExchangeNotes, AttemptState {}

/** What is told of an exchange when it is over. */
export type EndedExchange = Readonly<RequestFacts & ExchangeNotes>

/** Milliseconds that the gateway itself took for an exchange that ended then, up to the beginning of the reply. */
export function gatewayTime({ start, repliedAt, serviceTime, clientTime }: EndedExchange, end: number): number {
  // Sums of times are not exact: what took no time may seem to have taken less than that.
  return Math.max(0, (repliedAt ?? end) - start - serviceTime - clientTime)
}
