import { GatewayError } from '../../core/errors.ts'
import type { BodyStream } from '../../http/body.ts'
import { ChangedBody } from '../../http/changed-body.ts'
import { knownLine } from '../../http/field-lines.ts'
import { GRPC_MESSAGE, GRPC_STATUS } from '../../http/grpc-error.ts'
import type { Headers } from '../../http/headers.ts'
import { MessageBoundaries } from '../../grpc/message-boundaries.ts'
import { frame, TRAILERS } from '../../grpc/message-frame.ts'
import { encodeMessage } from '../../grpc/message.ts'
import { grpcStatus } from '../../grpc/status.ts'
import { Base64Reader } from './base64.ts'

const NOTHING = Buffer.alloc(0)

/** Reported to clients if a service did not say how the call ended, as gRPC clients do. */
const WITHOUT_STATUS =
  knownLine(GRPC_STATUS, String(grpcStatus('UNKNOWN'))) +
  knownLine(GRPC_MESSAGE, encodeMessage('The service ended its reply without a status.'))

/** Decodes the base64 messages of a request. */
export class TextRequest extends ChangedBody {
  private readonly reader = new Base64Reader()

  protected override change(chunk: Buffer): Buffer {
    return this.reader.read(chunk)
  }

  protected override finish(): Buffer {
    this.reader.end()
    return NOTHING
  }
}

/**
 * The messages of a reply, followed by the trailers as the last frame (gRPC-Web, "Message framing"). If the reply broke off within a
 * message, it fails: clients would take the trailers for the rest of the message, and the end for a success.
 */
export class WebReply extends ChangedBody {
  private readonly isText: boolean
  private readonly messages = new MessageBoundaries()

  constructor(source: BodyStream, isText: boolean) {
    super(source)
    this.isText = isText
  }

  protected override change(chunk: Buffer): Buffer {
    this.messages.follow(chunk)
    return inForm(chunk, this.isText)
  }

  protected override finish(trailers: Headers | null): Buffer {
    if (this.messages.isPartial) throw new GatewayError('bad-gateway', 'The reply ended within a message.')
    return inForm(trailersFrame(trailers), this.isText)
  }
}

/** Each chunk is padded: waiting for more bytes to complete a group would delay a message. */
export function inForm(bytes: Buffer, isText: boolean): Buffer {
  return isText ? Buffer.from(bytes.toString('base64'), 'latin1') : bytes
}

/** Trailers as a frame, with names in lower case. */
export function trailersFrame(trailers: Headers | null): Buffer {
  let lines = ''
  for (const [name, value] of trailers ?? []) lines += knownLine(name.toLowerCase(), value)
  return frame(Buffer.from(trailers?.has(GRPC_STATUS) === true ? lines : lines + WITHOUT_STATUS, 'latin1'), TRAILERS)
}
