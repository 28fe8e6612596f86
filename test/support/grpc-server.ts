import type { TestContext } from 'node:test'
import {
  type Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { cleanUp } from './cleanup.ts'

const asItIs = (message: Buffer): Buffer => message

const method = (name: string, requestStream: boolean, responseStream: boolean, service = 'shop.v1.Users') => ({
  path: `/${service}/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
})

/** shop.v1.Users, whose messages are bytes: one method of each kind. */
const definition = {
  Get: method('Get', false, false),
  List: method('List', false, true),
  Collect: method('Collect', true, false),
  Chat: method('Chat', true, true),
}

/** The health service for each service, "" for the server as a whole: grpc.health.v1 with raw bytes. */
const health = { Check: method('Check', false, false, 'grpc.health.v1.Health') }

export type UnaryCall = ServerUnaryCall<Buffer, Buffer>
export type ListCall = ServerWritableStream<Buffer, Buffer>
export type CollectCall = ServerReadableStream<Buffer, Buffer>
export type ChatCall = ServerDuplexStream<Buffer, Buffer>
export type SendReply = sendUnaryData<Buffer>

/** The methods that a test replaces; the others echo what they receive. */
export interface GrpcMethods {
  Get?(call: UnaryCall, reply: SendReply): void
  List?(call: ListCall): void
  Collect?(call: CollectCall, reply: SendReply): void
  Chat?(call: ChatCall): void
  /** The reply to a health check for that service: a status number, or an error. The method exists only if this is given. */
  health?(service: string): number | { code: number; details: string }
}

/** A service on @grpc/grpc-js. */
export interface GrpcService {
  readonly url: string
  readonly port: number
  /** The metadata of each call so far. */
  readonly received: readonly Metadata[]
  /** Closes every connection immediately. */
  kill(): void
}

/**
 * Echoes: a unary call its message, List one message per character, Collect everything received as one message, Chat each message
 * immediately.
 */
const ECHO: Required<Omit<GrpcMethods, 'health'>> = {
  Get: ({ request }, reply) => reply(null, request),
  List(call) {
    for (const character of call.request.toString()) call.write(Buffer.from(character))
    call.end()
  },
  Collect(call, reply) {
    const messages: Buffer[] = []
    call.on('data', (message: Buffer) => messages.push(message))
    call.on('end', () => reply(null, Buffer.concat(messages)))
  },
  Chat(call) {
    call.on('data', (message: Buffer) => call.write(message))
    call.on('end', () => call.end())
  },
}

/** Runs until the end of the test. */
export async function startGrpcService(
  t: TestContext,
  methods: GrpcMethods = {},
  credentials = ServerCredentials.createInsecure(),
): Promise<GrpcService> {
  const received: Metadata[] = []
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
  const all = { ...ECHO, ...methods }
  const implementation: UntypedServiceImplementation = {
    Get(call: UnaryCall, reply: SendReply) {
      received.push(call.metadata)
      all.Get(call, reply)
    },
    List(call: ListCall) {
      received.push(call.metadata)
      all.List(call)
    },
    Collect(call: CollectCall, reply: SendReply) {
      received.push(call.metadata)
      all.Collect(call, reply)
    },
    Chat(call: ChatCall) {
      received.push(call.metadata)
      all.Chat(call)
    },
  }
  server.addService(definition, implementation)
  const check = (service: string) => methods.health?.(service) ?? 0
  if ('health' in methods)
    server.addService(health, {
      Check({ request }: UnaryCall, reply: SendReply) {
        const output = check(request.toString('latin1', 2))
        if (typeof output === 'number') reply(null, Buffer.from([8, output]))
        else reply(output)
      },
    })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  const kill = (): void => server.forceShutdown()
  cleanUp(t, kill)
  return { url: `http://127.0.0.1:${port}`, port, received, kill }
}
