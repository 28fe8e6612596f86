import type { GatewayError } from '../core/errors.ts'
import { Bytes, isStream } from '../http/body.ts'
import { dial, type DialOptions } from '../http/dial.ts'
import type { Headers } from '../http/headers.ts'
import type { ReplyListener } from '../http/lane.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import type { ClientOptions } from '../http/pool-options.ts'
import type { Reply } from '../http/reply.ts'
import { ClientConnection, type ClientOwner } from './client-connection.ts'
import type { ClientStream } from './client-stream.ts'
import { ResponseHead } from './response-head.ts'

/** The reply to an `ask`. */
export interface SingleReply {
  readonly status: number
  readonly headers: Headers
  /** The content, up to the configured length. */
  readonly body: Buffer
  /** Null where there are none, or the content was cut at that length. */
  readonly trailers: Headers | null
}

export interface SingleRequestOptions extends DialOptions, ClientOptions {
  /** Maximum bytes of content to read; anything beyond is ignored. */
  readonly content: number
}

/** Called once, never before `ask` returns: with the answer, or with the reason why there is none. */
export type SingleRequestCallback = (answer: SingleReply | Error) => void

/**
 * Sends one request over a connection of its own. Returns a function that aborts it; `done` is not called after that.
 * Timeouts are those of the options; there is none for the whole.
 */
export function requestOnce(
  options: SingleRequestOptions,
  request: OutgoingRequest,
  done: SingleRequestCallback,
): () => void {
  const asking = new SingleRequest(options, request, done)
  return () => asking.giveUp()
}

class SingleRequest implements ClientOwner, ReplyListener {
  readonly options: SingleRequestOptions
  readonly head: ResponseHead
  private readonly request: OutgoingRequest
  private readonly stopDialling: () => void
  private done: SingleRequestCallback | null
  private connection: ClientConnection | null = null
  private lane: ClientStream | null = null

  constructor(options: SingleRequestOptions, request: OutgoingRequest, done: SingleRequestCallback) {
    const { deadlines, connectTimeout } = options
    this.options = options
    this.head = new ResponseHead(options)
    this.request = request
    this.done = done
    this.stopDialling = dial(options, {
      connected: (socket) => {
        this.connection = new ClientConnection(socket, this, deadlines, connectTimeout)
        return this.connection
      },
      failed: (error) => this.finish(reasonOf(error)),
    })
  }

  giveUp(): void {
    this.done = null
    this.stopDialling()
    this.end()
  }

  connected(connection: ClientConnection): void {
    this.lane = connection.lane()
    this.lane.exchange(this.request, this)
  }

  changed(): void {}
  released(): void {}

  detach(): boolean {
    return true
  }

  closed(_: ClientConnection, error: Error | null): void {
    if (error !== null) this.finish(error)
  }

  interimReply(): void {}

  replied({ status, headers, body }: Reply): void {
    if (!isStream(body)) {
      const content = body instanceof Bytes ? body.toBuffer() : NOTHING
      return this.finish({ status, headers, body: content, trailers: null })
    }
    const chunks: Buffer[] = []
    let size = 0
    body.pipe({
      write: (chunk) => {
        const part = Buffer.from(chunk.subarray(0, this.options.content - size))
        chunks.push(part)
        size += part.length
        if (part.length < chunk.length) this.finish({ status, headers, body: Buffer.concat(chunks), trailers: null })
        return true
      },
      end: (trailers) => this.finish({ status, headers, body: Buffer.concat(chunks), trailers }),
      fail: (error) => this.finish(error),
    })
  }

  failed(error: GatewayError): void {
    this.finish(reasonOf(error))
  }

  brokeOff(error: GatewayError): void {
    this.finish(reasonOf(error))
  }

  finished(): void {}

  private finish(answer: SingleReply | Error): void {
    const { done } = this
    if (done === null) return
    this.done = null
    done(answer)
    this.end()
  }

  private end(): void {
    this.lane?.cancel()
    this.connection?.retire()
  }
}

const NOTHING = Buffer.alloc(0)

/** The innermost cause of an error whose message is meant for clients. */
function reasonOf(error: Error): Error {
  return error.cause instanceof Error ? reasonOf(error.cause) : error
}
