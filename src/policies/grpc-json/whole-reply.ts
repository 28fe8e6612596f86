import { type Body, type Bytes, collect, isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Headers } from '../../http/headers.ts'
import { PassingBody } from '../../http/passing-body.ts'
import { PREFIX } from '../../grpc/message-frame.ts'
import { MessageReader } from '../../grpc/message-reader.ts'
import { checkEnd, unreadable } from './json-stream.ts'

/** Keeps the trailers of a body that passes through. */
class WithTrailers extends PassingBody {
  trailers: Headers | null = null

  override end(trailers: Headers | null): void {
    this.trailers = trailers
    super.end(trailers)
  }
}

/**
 * Reads the single message of a reply to the client with that address. Rejects with CallFailed if the call has failed, and with
 * GatewayError 'bad-gateway' unless there is exactly one message of at most `limit` bytes.
 */
export async function wholeReply(body: Body, limit: number, client: string): Promise<Buffer> {
  const source = isStream(body) ? new WithTrailers(body) : body
  const bytes = await collectReply(source, limit, client)
  checkEnd(source instanceof WithTrailers ? source.trailers : null)
  const reader = new MessageReader(limit)
  let messages: Buffer[]
  try {
    messages = reader.read(bytes.toBuffer())
  } catch (error) {
    throw unreadable(error)
  }
  const [message] = messages
  if (message !== undefined && messages.length === 1 && !reader.isPartial) return message
  throw unreadable(new Error(`it has ${messages.length} messages; expected one`))
}

async function collectReply(body: Body, limit: number, client: string): Promise<Bytes> {
  try {
    return await collect(body, limit + PREFIX, client)
  } catch (error) {
    const tooLarge = error instanceof GatewayError && error.code === 'content-too-large'
    throw tooLarge ? unreadable(new Error(`its message has more than ${limit} bytes`)) : error
  }
}
