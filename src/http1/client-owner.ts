import type { Body } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Headers } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Encryption } from './encryption.ts'
import type { FieldLimits } from '../http/limits.ts'

/** How long a service may take, in milliseconds. */
export interface ServiceTimeouts {
  /** From the last octet of the request to the end of the response head, and without the service taking any of a body. */
  readonly responseTimeout: number
  /** Without an octet of a response body that is awaited. */
  readonly idleTimeout: number
}

/** What a client connection needs to know; times are milliseconds. */
export interface ClientOptions extends FieldLimits, ServiceTimeouts {
  /** Without a request. */
  readonly poolTimeout: number
  /** How long a new connection is used again: for ever, it would hold on to an address that its name no longer has. */
  readonly lifetime: () => number
  /** Null where connections are not encrypted. */
  readonly encryption: Encryption | null
}

/** What is sent. */
export interface OutgoingRequest {
  /** Address of the client that it is sent for. */
  readonly client: string
  readonly method: string
  /** The whole head with its framing and the empty line. */
  readonly head: string
  readonly body: Body
  readonly chunked: boolean
  /** The head asks for 100 (Continue): the body, a stream, follows when the service says so (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean
  /** What the head asks to change the protocol to, or null. */
  readonly upgrade: WantedUpgrade | null
  /** In place of those of the connection. */
  readonly timeouts?: ServiceTimeouts
}

/** A change to WebSocket that a request asks for. */
export interface WantedUpgrade {
  /** "websocket", in the spelling of the client. */
  readonly protocol: string
  /** Its Sec-WebSocket-Key, or "". */
  readonly key: string
}

/** Who waits for the reply to a request. */
export interface ReplyListener {
  /** An interim response other than 100 and 101. */
  informed(status: number, headers: Headers): void
  /** The head of the reply is here. */
  replied(reply: Reply): void
  /** There will be no reply: ClosedBeforeReply, GatewayError 'bad-gateway' or 'gateway-timeout', or what the request's body failed with. */
  failed(error: GatewayError): void
  /** The connection has nothing more to do with the exchange: once for each, after `replied` or before `failed`. */
  finished(): void
}

/** Where a connection returns to. */
export interface ClientOwner {
  /** It may carry another request. */
  release(connection: ClientConnection): void
  /** It carries an exchange that lasts, and counts apart from now on. False where no more of those may be. */
  detach(connection: ClientConnection): boolean
  /** It is gone. */
  closed(connection: ClientConnection): void
}

/** The service ended the connection before the head of a reply was whole. */
export class ClosedBeforeReply extends GatewayError {
  /** The connection had served before, and not an octet of a reply has come: it was closed for being idle, it seems. */
  readonly stale: boolean

  /** `reused` says that the connection had served before, `heard` that something of a reply has come. */
  constructor(reused: boolean, heard: boolean, cause: unknown) {
    const when = heard ? 'in the middle of its reply' : 'without a reply'
    super('bad-gateway', `The service closed the connection ${when}.`, { cause })
    this.stale = reused && !heard
  }
}

/** The reply would go on for long, and as many of those are open as may be. */
export class TooManyStreams extends GatewayError {
  constructor() {
    super('too-busy', 'As many streams of this service are open as may be; try again later.', {
      headers: [['Retry-After', '5']],
    })
  }
}

/** The exchange waited for its own client while others waited for the connection. */
export class MadeWay extends GatewayError {
  constructor() {
    super('request-timeout', 'The client is too slow to keep a connection to the service that others wait for.')
  }
}
