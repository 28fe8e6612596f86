import { once } from 'node:events'
import type { TestContext } from 'node:test'
import {
  type CallOptions,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Client,
  credentials as kinds,
  Metadata,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js'
import { cleanUp } from './cleanup.ts'

const asItIs = (message: Buffer): Buffer => message

/** How a call ended for its client. */
export interface CallEnd {
  readonly messages: readonly string[]
  readonly status: StatusObject
  /** Metadata received before the first message; null if there was none. */
  readonly head: Metadata | null
}

/** A @grpc/grpc-js client whose messages are texts; it can call any method. */
export class GrpcClient {
  private readonly client: Client

  constructor(t: TestContext, target: string, credentials = kinds.createInsecure(), options: ChannelOptions = {}) {
    // A separate channel for each client, so that tests do not share connections.
    this.client = new Client(target, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options })
    cleanUp(t, () => this.client.close())
  }

  /** A call with one message in each direction. */
  async unary(
    method: string,
    message: string | Buffer = '',
    metadata = new Metadata(),
    options: CallOptions = {},
  ): Promise<CallEnd> {
    const messages: string[] = []
    const call: ClientUnaryCall = this.client.makeUnaryRequest(
      method,
      asItIs,
      asItIs,
      Buffer.from(message),
      metadata,
      options,
      (_: ServiceError | null, reply?: Buffer) => {
        if (reply !== undefined) messages.push(reply.toString())
      },
    )
    return ended(call, messages)
  }

  /** One request message, any number of reply messages. */
  list(
    method: string,
    message = '',
    metadata = new Metadata(),
    options: CallOptions = {},
  ): ClientReadableStream<Buffer> {
    return this.client.makeServerStreamRequest(method, asItIs, asItIs, Buffer.from(message), metadata, options)
  }

  /** Any number of request messages, one reply message, which is passed to `replied`. */
  collect(
    method: string,
    replied: (reply: Buffer) => void = () => {},
    options: CallOptions = {},
  ): ClientWritableStream<Buffer> {
    return this.client.makeClientStreamRequest(method, asItIs, asItIs, new Metadata(), options, (_, reply?: Buffer) => {
      if (reply !== undefined) replied(reply)
    })
  }

  /** Any number of messages in both directions. */
  chat(method: string, metadata = new Metadata(), options: CallOptions = {}): ClientDuplexStream<Buffer, Buffer> {
    return this.client.makeBidiStreamRequest(method, asItIs, asItIs, metadata, options)
  }
}

/** The common part of all calls. */
interface AnyCall {
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown
  on(event: 'status', listener: (status: StatusObject) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'data', listener: (message: Buffer) => void): unknown
}

/** Waits for the end of a call; received messages are added to `messages`. */
export async function ended(call: AnyCall, messages: string[] = []): Promise<CallEnd> {
  let head: Metadata | null = null
  call.on('metadata', (metadata) => (head = metadata))
  call.on('error', () => {})
  if ('read' in call) call.on('data', (message) => messages.push(message.toString()))
  const status = await new Promise<StatusObject>((resolve) => call.on('status', resolve))
  // The callback of a single reply message runs slightly later than the status event.
  await new Promise(setImmediate)
  return { messages, status, head }
}
/** Waits for the next message. */
export async function nextMessage(
  call: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
): Promise<string> {
  const [message] = (await once(call, 'data')) as [Buffer]
  return message.toString()
}
