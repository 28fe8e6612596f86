import type { BodyStream } from '../../http/body.ts'
import { ChangedBody } from '../../http/changed-body.ts'
import { GatewayError } from '../../core/errors.ts'
import { messageOf } from '../../core/error-facts.ts'
import { MessageReader } from '../../grpc/message-reader.ts'
import { grpcStatus, parseGrpcStatus } from '../../grpc/status.ts'
import { GRPC_STATUS } from '../../http/grpc-error.ts'
import type { Headers } from '../../http/headers.ts'
import { CallFailed } from './failure.ts'
import type { Content } from './reply-form.ts'
import type { StreamForm } from './stream-form.ts'

/**
 * Converts a stream of messages to JSON, or to pieces of a body that is not JSON. If the call fails, the body fails: with
 * CallFailed before the first message, and with GatewayError 'bad-gateway' after it. What has been sent by then is recognizably
 * incomplete.
 */
export class JsonStream extends ChangedBody {
  /** The type of the first message; null before it has arrived, and for JSON. */
  type: string | null = null
  private readonly form: StreamForm
  private readonly convert: (message: Buffer) => Content
  private readonly reader: MessageReader
  private begun = false

  constructor(source: BodyStream, form: StreamForm, convert: (message: Buffer) => Content, limit: number) {
    super(source)
    this.form = form
    this.convert = convert
    this.reader = new MessageReader(limit)
  }

  protected override change(chunk: Buffer): Buffer {
    try {
      return Buffer.concat(this.reader.read(chunk).flatMap((message) => this.piecesOf(this.convert(message))))
    } catch (error) {
      throw unreadable(error)
    }
  }

  protected override finish(trailers: Headers | null): Buffer {
    try {
      checkEnd(trailers)
    } catch (error) {
      throw this.begun ? unreadable(error) : error
    }
    if (this.reader.isPartial) throw unreadable(new Error('its last message is not complete'))
    if (this.type !== null) return Buffer.alloc(0)
    const { start, end } = this.form
    return Buffer.from((this.begun ? '' : start) + end)
  }

  private piecesOf({ type, bytes }: Content): Buffer[] {
    const { start, before, between, after } = this.form
    const first = !this.begun
    this.begun = true
    if (first) this.type = type
    if (type !== null) return [bytes]
    return [Buffer.from((first ? start : between) + before), bytes, Buffer.from(after)]
  }
}

/** Throws CallFailed unless the call has succeeded. */
export function checkEnd(trailers: Headers | null): void {
  if (trailers === null || parseGrpcStatus(trailers.get(GRPC_STATUS) ?? '') !== grpcStatus('OK'))
    throw new CallFailed(trailers)
}

/** The error sent to the client if the service's reply is not a valid message. */
export function unreadable(error: unknown): GatewayError {
  return new GatewayError('bad-gateway', `The reply of the service cannot be read: ${messageOf(error)}.`, {
    cause: error,
  })
}
