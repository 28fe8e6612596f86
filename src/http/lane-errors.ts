import { GatewayError } from '../core/errors.ts'

/** No connection could be established: nothing was sent, so any request may be retried on another instance. */
export class ConnectFailed extends GatewayError {
  constructor(address: string, cause: unknown) {
    super('service-unavailable', 'Service unavailable', { cause: new Error(`cannot connect to ${address}`, { cause }) })
  }
}

/** No secure connection could be established: nothing was sent, so any request may be retried on another instance. */
export class HandshakeFailed extends GatewayError {
  constructor(address: string, cause: Error) {
    super('bad-gateway', 'No secure connection to the service could be made.', {
      cause: new Error(`cannot connect to ${address}`, { cause }),
    })
  }
}

/** The service closed the connection before the head of its reply was complete. */
export class ClosedBeforeReply extends GatewayError {
  /** The connection was reused, and not a byte of a reply has come: probably it was closed for being idle. */
  readonly stale: boolean

  /** `reused` says that the connection had served other requests, `replyBegun` that part of a reply has come. */
  constructor(reused: boolean, replyBegun: boolean, cause: unknown, what = CLOSED) {
    const when = replyBegun && what === CLOSED ? 'in the middle of its reply' : 'without a reply'
    super('bad-gateway', `The service ${what} ${when}.`, { cause })
    this.stale = reused && !replyBegun
  }
}

/** The service closed the connection in the middle of its reply, whose head had been passed on. */
export class ClosedWithinReply extends GatewayError {
  constructor(cause: unknown, what = CLOSED) {
    super('bad-gateway', `The service ${what} in the middle of its reply.`, { cause })
  }
}

/** The service has declared the request unprocessed (RFC 9113 section 8.7): any request may be sent again. */
export class NotProcessed extends GatewayError {
  /** Nothing was read from the request's body. */
  readonly untouched: boolean

  /** `why` completes the sentence "the request was not processed: ". */
  constructor(why: string, untouched = false) {
    super('service-unavailable', 'Service unavailable', { cause: new Error(`the request was not processed: ${why}`) })
    this.untouched = untouched
  }
}

/** The default description of how a service failed its requests. */
const CLOSED = 'closed the connection'

/** The reply would be long-lived, and the limit of open streams is reached. */
export class TooManyStreams extends GatewayError {
  constructor() {
    super('too-busy', 'Too many streams of this service are open; try again later.', {
      headers: [['Retry-After', '5']],
    })
  }
}

/** The exchange was ended because it waited for its own client while others waited for the connection. */
export class Preempted extends GatewayError {
  constructor() {
    super('request-timeout', 'The client is too slow to keep a connection to the service that others wait for.')
  }
}
