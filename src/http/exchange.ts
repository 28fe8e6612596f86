import type { Body } from './body.ts'
import type { ClientCertificate } from './client-certificate.ts'
import type { GatewayError } from '../core/errors.ts'
import type { GrpcCall } from '../grpc/call.ts'
import type { Headers } from './headers.ts'
import type { HttpVersion } from './received-head.ts'
import type { PathForms } from './path-forms.ts'
import type { ExchangeRecord } from './record.ts'
import type { Reply } from './reply.ts'
import type { Trace } from './trace.ts'

export type { GrpcCall } from '../grpc/call.ts'

/** What policies, log lines and metrics may know about the route that an exchange took. */
export interface RouteInfo {
  readonly id: string
  /** The path pattern that matched, such as "/api/v1/users/*": a label of bounded cardinality. */
  readonly pattern: string
  /**
   * Name of the service it leads to, or null for a fixed reply, a redirect, files, or no match. Where requests are
   * split between several services, the first of them until one is chosen, which happens after all policies.
   */
  readonly service: string | null
  /** Whether its requests are written to the access log. Default true. */
  readonly logged?: boolean
  /**
   * Whether both sides of its exchanges may send without a size limit and stay silent without a time limit. Default
   * false.
   */
  readonly streaming?: boolean
}

/**
 * The authenticated caller: a user or the holder of an API key. For anonymous requests the exchange has null instead.
 */
export interface Consumer {
  /** Id of the user, or of the owner of the API key. */
  readonly id: string
  readonly roles: readonly string[]
  /** Scopes of the token (RFC 6749 section 3.3); empty for an API key. */
  readonly scopes: readonly string[]
  /** Which limits apply: "authenticated" or "api_key" unless the token or the key says otherwise. */
  readonly tier: string
  /** Id of the API key that came with the request, or null for a token. */
  readonly key: string | null
  /** Claims of the token, or from the user service; empty for an API key. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The client as the gateway sees it: fields of trusted proxies are believed, those of anyone else are not. */
export interface Client {
  /** IP address in text form. */
  readonly address: string
  readonly scheme: 'http' | 'https'
  /** Host and port that the client requested from the first proxy, where a trusted proxy reports them; else null. */
  readonly host: string | null
  /** The request came from a trusted proxy: fields that such a proxy sets on every request can be relied on. */
  readonly proxied: boolean
  /** Further claims of that proxy, which are passed on, each "Name: value\r\n". */
  readonly claims: string
  /**
   * The certificate that the client presented, on a listener that requests one; null where it presented none, or came
   * through a trusted proxy, whose own certificate does not identify the client.
   */
  readonly certificate: ClientCertificate | null
  /**
   * The address of the peer, followed by those from which it and the trusted proxies before it received the request;
   * the last one is not trusted. A client address taken from a dedicated field is not included: anyone may send that
   * field to a proxy that passes it on.
   */
  readonly hops: readonly string[]
  /** The certificate that the peer presented, whoever the client is; null where it presented none. */
  readonly peerCertificate: ClientCertificate | null
  /**
   * X-Forwarded-For, -Proto and -Host for the service, each "Name: value\r\n", for a client that requested that host.
   */
  forwardingFields(host: string): string
}

/** The request as received and as modified by policies. */
export interface RequestFacts {
  readonly method: string
  /** The HTTP version that the client uses. */
  readonly protocol: HttpVersion
  /** Normalized path, used for matching and logging. Starts with "/". */
  path: string
  /** Other spellings and readings of the path; null for a path that has only one form. */
  forms: PathForms | null
  /** "?…" as received, or "". */
  query: string
  /**
   * Path and query exactly as the client sent them, known to be valid in a request line, which is not certain of what a
   * policy has changed. Null for requests of the gateway itself.
   */
  readonly target: string | null
  /** Host and port as the client named them, or "" (HTTP/1.0 may omit them). */
  readonly host: string
  /** End-to-end header fields without Host; hop-by-hop and forwarding fields are already removed. */
  readonly headers: Headers
  body: Body
  /** The protocol that the client asks to upgrade to, such as "websocket"; null where it does not ask. */
  readonly upgrade: string | null
  /** The client accepts trailers (RFC 9110 section 10.1.4). */
  readonly acceptsTrailers: boolean
  /** The client sends its body only after 100 (Continue) (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  readonly client: Client
  /** Name of the listener that received it; "" for requests of the gateway itself. */
  readonly listener: string
  /** Monotonic milliseconds at which the head was complete. */
  readonly start: number
  /** Error found in the request before its body was read; such a request passes the policies but goes no further. */
  readonly refusal: GatewayError | null
}

/** An attempt to get a reply from an instance that failed, or whose reply was not fit for the client. */
export interface FailedAttempt {
  /** Host and port of the instance. */
  readonly instance: string
  /** How far it got: "connect", "reply" or "body". */
  readonly phase: string
  /** The reason as one word, or null where there was a reply. */
  readonly reason: string | null
  /** Status of the reply; 0 where there was none. */
  readonly status: number
  /** Duration in milliseconds. */
  readonly took: number
  /** Whether it was followed by another attempt. */
  readonly again: boolean
  /** The error; null where the reply speaks for itself. */
  readonly error: GatewayError | null
}

/** What is decided and learned along the way, for later steps, the log, the metrics and the traces. */
export interface ExchangeNotes {
  /** "" until the correlation-id policy, or the first error reply, sets it. */
  correlationId: string
  route: RouteInfo
  /** Values of the {parameters} of the route's pattern, percent-decoded. */
  params: Readonly<Record<string, string>>
  consumer: Consumer | null
  /**
   * Whether pages of an origin may send the user's cookies here, according to the cors policy; null without such a
   * policy.
   */
  sharesCredentials: ((origin: string) => boolean) | null
  /** Address of the instance tried last, or null. */
  instance: string | null
  /** Number of attempts made. */
  attempts: number
  /** Why the last retry was made: one of a few fixed words, or null where there was none. */
  retried: string | null
  /** The failed attempts, only the first ones where there were many; null where none failed. */
  failures: FailedAttempt[] | null
  /** Milliseconds spent on services, up to the head of each reply, connecting included. */
  serviceTime: number
  /** Milliseconds spent waiting for the client to send its body, before a service was asked. */
  clientTime: number
  /**
   * Monotonic milliseconds at which a reply that is written piece by piece began; null before, and for one written at
   * once.
   */
  repliedAt: number | null
  /** The error that the reply reports, for the log and the metrics; null where nothing failed in the gateway. */
  error: GatewayError | null
  /** The trace that it is part of; traceparent and tracestate are not among the header fields. */
  readonly trace: Trace
  /** Records what is decided along the way, for spans and timings; null where it would not be read. */
  readonly record: ExchangeRecord | null
  /** The client has disconnected: any further work on the exchange is in vain. */
  readonly aborted: boolean
  /** Details of a gRPC call; null for any other request. */
  grpc: GrpcCall | null
  /** What the client asked for, while the exchange has what policies have made of it for the service; null otherwise. */
  asked: AskedRequest | null
  /** Members of its access log line that were formatted when it arrived, each after a comma; "" for none. */
  readonly noted: string
  /** Age in whole seconds of the stored reply that the cache policy answers with; null for any other reply. */
  storedAge: number | null
  /** Additional members of its access log line; null for none. */
  logFields: Readonly<Record<string, string>> | null
}

/** What a policy may change so that the service receives a different request from the one the client sent. */
export type AskedRequest = Pick<RequestFacts, 'method' | 'path' | 'query' | 'headers'>

/** Something that is aborted when the client leaves. */
export interface Abortable {
  abort(): void
}

/** Changes a reply in place; `state` is what was determined before it came. */
export type ReplyEdit<State> = (reply: Reply, exchange: Exchange, state: State) => void

/** A reply expected from a service, to which edits may be attached until it comes. */
export interface AwaitedReply {
  /** The reply with all attached edits applied. */
  readonly promise: Promise<Reply>
  /** Attaches an edit, to be applied after those attached before. */
  leave<State>(edit: ReplyEdit<State>, state: State): void
}

/** The request in progress to a service, and how to end it. */
export interface AttemptState {
  /** Aborted when the client leaves before the reply has begun; set by the code that waits for the service. */
  waiter: Abortable | null
  /** The reply that is currently expected from a service; set while it is pending. */
  pending: AwaitedReply | null
  /** Some of the request may have reached a service. */
  sent: boolean
  /** The exchange with the service is completed even if the client leaves, as the reply is to be stored. */
  outlivesClient: boolean
  /**
   * Passes an interim response, such as 103 (Early Hints, RFC 8297), on to a client that understands it. Throws a
   * RangeError for a status outside of 102 to 199.
   */
  sendInterim(status: number, headers: Headers): void
}

/** One request and its reply while they are being processed by the gateway. */
export interface Exchange extends RequestFacts, ExchangeNotes, AttemptState {}

/** What observers get to see of an exchange that has ended. */
export type EndedExchange = Readonly<RequestFacts & ExchangeNotes>

/** Milliseconds that the gateway itself spent on an exchange that ended at `end`, up to the beginning of the reply. */
export function gatewayTime({ start, repliedAt, serviceTime, clientTime }: EndedExchange, end: number): number {
  // Floating-point sums are inexact: the difference may come out slightly negative.
  return Math.max(0, (repliedAt ?? end) - start - serviceTime - clientTime)
}
