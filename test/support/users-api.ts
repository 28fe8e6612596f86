import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  isMessage,
  type Message,
  toBinary,
} from '@bufbuild/protobuf'
import { file_google_protobuf_wrappers, FileDescriptorProtoSchema, StringValueSchema } from '@bufbuild/protobuf/wkt'
import type { Transport } from '@connectrpc/connect'

const TEXT = `.${StringValueSchema.typeName}`

const { method: methods } = createFileRegistry(
  fromJson(FileDescriptorProtoSchema, {
    name: 'shop/v1/users.proto',
    package: 'shop.v1',
    syntax: 'proto3',
    dependency: ['google/protobuf/wrappers.proto'],
    service: [
      {
        name: 'Users',
        method: [
          { name: 'Get', inputType: TEXT, outputType: TEXT },
          { name: 'List', inputType: TEXT, outputType: TEXT, serverStreaming: true },
        ],
      },
    ],
  }),
  () => file_google_protobuf_wrappers,
).getService('shop.v1.Users')!

/** A text encoded as a message of shop.v1.Users, whose messages are texts. */
export function encodeText(value: string): Buffer {
  return Buffer.from(toBinary(StringValueSchema, create(StringValueSchema, { value })))
}

/** The text of a message. */
export function decodeText(bytes: Buffer): string {
  return fromBinary(StringValueSchema, bytes).value
}

/** A client of shop.v1.Users. */
export class UsersClient {
  private readonly transport: Transport

  constructor(transport: Transport) {
    this.transport = transport
  }

  /** The reply of Get, with the metadata before and after it. */
  async get(value: string, header: Readonly<Record<string, string>> = {}, timeout?: number) {
    const method = methods['get']
    if (method === undefined || !isUnary(method)) throw new Error('Get is not unary')
    const reply = await this.transport.unary(method, undefined, timeout, header, { value })
    return { text: textOf(reply.message), header: reply.header, trailer: reply.trailer }
  }

  /** The texts that List replies with, as they arrive. */
  async *list(value: string, signal?: AbortSignal): AsyncGenerator<string> {
    const method = methods['list']
    if (method === undefined || !isList(method)) throw new Error('List is no stream')
    const reply = await this.transport.stream(method, signal, undefined, {}, only({ value }))
    for await (const message of reply.message) yield textOf(message)
  }
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === 'unary'
}

function isList(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === 'server_streaming'
}

function textOf(message: Message): string {
  if (!isMessage(message, StringValueSchema)) throw new Error('a message that is not text')
  return message.value
}

async function* only<T>(item: T): AsyncGenerator<T> {
  yield item
}
