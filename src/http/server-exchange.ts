import type { Body } from './body.ts'
import type { GatewayError } from '../core/errors.ts'
import type {
  Abortable,
  AskedRequest,
  AwaitedReply,
  Client,
  Consumer,
  Exchange,
  FailedAttempt,
  RouteInfo,
} from './exchange.ts'
import type { GrpcCall } from '../grpc/call.ts'
import { callOf, MAYBE_GRPC, refusalOfCall } from './grpc-request.ts'
import { type Headers, headersFromWire, mayHold } from './headers.ts'
import type { PathForms } from './path-forms.ts'
import type { ExchangeRecord } from './record.ts'
import { type Trace, UNTRACED } from './trace.ts'
import type { DroppedField } from './received-fields.ts'
import type { HttpVersion, ReceivedHead } from './received-head.ts'

const NO_ROUTE: RouteInfo = { id: '', pattern: '', service: null }
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/** Writes interim responses. */
export interface InterimSink {
  inform(status: number, headers: Headers): void
}

/**
 * An exchange of any origin: made from the head of a received request, or from a request of the gateway itself
 * (`internal-exchange.ts`). One class for all, so that code along the way sees a single object shape.
 */
export class ServerExchange implements Exchange {
  readonly method: string
  path: string
  forms: PathForms | null = null
  query: string
  target: string | null
  readonly host: string
  readonly headers: Headers
  body: Body = null
  readonly client: Client
  listener = ''
  readonly start: number
  readonly protocol: HttpVersion
  /** W3C Trace Context as the client sent it, several lines joined by commas. */
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** Some field name has characters other than letters, digits and hyphens. */
  readonly oddNames: boolean
  /** Fields removed while reading; null for none. */
  readonly dropped: readonly DroppedField[] | null
  readonly upgrade: string | null
  readonly acceptsTrailers: boolean
  readonly expectsContinue: boolean
  correlationId = ''
  route: RouteInfo = NO_ROUTE
  params = NO_PARAMS
  consumer: Consumer | null = null
  sharesCredentials: Exchange['sharesCredentials'] = null
  instance: string | null = null
  attempts = 0
  retried: string | null = null
  failures: FailedAttempt[] | null = null
  serviceTime = 0
  clientTime = 0
  repliedAt: number | null = null
  error: GatewayError | null = null
  trace: Trace = UNTRACED
  record: ExchangeRecord | null = null
  refusal: GatewayError | null
  aborted = false
  /** The client or network for which it is counted as in flight; null if it is not counted. */
  countedFor: string | null = null
  waiter: Abortable | null = null
  pending: AwaitedReply | null = null
  sent = false
  outlivesClient = false
  grpc: GrpcCall | null = null
  asked: AskedRequest | null = null
  noted = ''
  storedAge: number | null = null
  logFields: Exchange['logFields'] = null

  private readonly informed: InterimSink

  constructor(head: ReceivedHead, client: Client, start: number, informed: InterimSink) {
    const { target, fields } = head
    const mark = target.indexOf('?')
    this.method = head.method
    this.path = mark === -1 ? target : target.slice(0, mark)
    this.query = mark === -1 ? '' : target.slice(mark)
    this.target = target
    this.host = head.authority
    this.headers = headersFromWire(fields.raw)
    this.client = client
    this.start = start
    this.protocol = head.protocol
    this.traceparent = fields.traceparent
    this.tracestate = fields.tracestate
    this.oddNames = fields.oddNames
    this.dropped = fields.dropped
    this.upgrade = head.upgrade
    this.expectsContinue = head.expectsContinue
    this.refusal = head.refusal
    this.informed = informed
    if (head.method === 'POST' && mayHold(this.headers, MAYBE_GRPC)) this.becomeCall()
    this.acceptsTrailers = fields.te !== null && /(?:^|[,\s])trailers(?:$|[,;\s])/i.test(fields.te)
  }

  private becomeCall(): void {
    const call = callOf(this.headers, this.start)
    this.grpc = call
    if (call !== null) this.refusal ??= refusalOfCall(call, this.protocol)
  }

  sendInterim(status: number, headers: Headers): void {
    // 100 and 101 are reserved for the connection, and anything from 200 would be the reply itself (RFC 9110 section
    // 15.2).
    if (!Number.isInteger(status) || status < 102 || status > 199)
      throw new RangeError(`an interim response with status ${status}; expected 102 to 199`)
    if (this.protocol !== '1.0' && !this.aborted) this.informed.inform(status, headers)
  }

  /** The client has disconnected. */
  abort(): void {
    this.aborted = true
    if (this.sent && this.outlivesClient) return
    const { waiter } = this
    this.waiter = null
    waiter?.abort()
  }
}
