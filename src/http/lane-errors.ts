import { GatewayError } from '../core/errors.ts'

/** No connection could be made: nothing was sent, so another instance may be tried whatever the request is. */
export class ConnectFailed extends GatewayError {
  constructor(address: string, cause: unknown) {
    super('service-unavailable', 'Service unavailable', { cause: new Error(`cannot connect to ${address}`, { cause }) })
  }
}

/** No secure connection could be made: nothing was sent, so another instance may be tried whatever the request is. */
export class HandshakeFailed extends GatewayError {
  constructor(address: string, cause: Error) {
    super('bad-gateway', 'No secure connection to the service could be made.', {
      cause: new Error(`cannot connect to ${address}`, { cause }),
    })
  }
}

/** The service ended the connection before the head of a reply was whole. */
export class ClosedBeforeReply extends GatewayError {
  /** The connection had served before, and not an octet of a reply has come: it was closed for being idle, it seems. */
  readonly stale: boolean

  /** `reused` says that the connection had served before, `heard` that something of a reply has come. */
  constructor(reused: boolean, heard: boolean, cause: unknown, what = CLOSED) {
    const when = heard && what === CLOSED ? 'in the middle of its reply' : 'without a reply'
    super('bad-gateway', `The service ${what} ${when}.`, { cause })
    this.stale = reused && !heard
  }
}

/** The service ended the connection in the middle of its reply, whose head was passed on. */
export class ClosedWithinReply extends GatewayError {
  constructor(cause: unknown, what = CLOSED) {
    super('bad-gateway', `The service ${what} in the middle of its reply.`, { cause })
  }
}

/** The service has said that it does nothing with the request (RFC 9113 section 8.7): it may be sent again whatever it is. */
export class NotProcessed extends GatewayError {
  /** Nothing of its body was taken from where it comes from. */
  readonly untouched: boolean

  /** `why` goes on from "the request was not processed: ". */
  constructor(why: string, untouched = false) {
    super('service-unavailable', 'Service unavailable', { cause: new Error(`the request was not processed: ${why}`) })
    this.untouched = untouched
  }
}

/** What a service does that fails its requests, unless it is something else. */
const CLOSED = 'closed the connection'

/** The reply would go on for long, and as many of those are open as may be. */
export class TooManyStreams extends GatewayError {
  constructor() {
    super('too-busy', 'Too many streams of this service are open; try again later.', {
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
