import type { DescMessage, JsonObject, JsonReadOptions, JsonValue, Message } from '@bufbuild/protobuf'
import { type Body, type Bytes, collect } from '../../http/body.ts'
import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import { messageOf } from '../../core/error-facts.ts'
import { TimeSlices } from '../../core/time-slices.ts'
import type { Exchange } from '../../http/exchange.ts'
import { frame } from '../../grpc/message-frame.ts'
import type { Binding } from './bindings.ts'
import { protobuf } from './library.ts'
import { parametersOf } from './parameters.ts'

/** google/api/httpbody.proto: a body that is not JSON. */
const HTTP_BODY = 'google.api.HttpBody'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)\s*(?:;|$)/i

/** How requests are converted. */
export interface RequestOptions {
  /** Most bytes of a body, and of a message. */
  readonly limit: number
  readonly json: Partial<JsonReadOptions>
  readonly clock: Clock
}

/**
 * The framed messages of the call that a request stands for. Rejects with GatewayError 'bad-request', 'content-too-large' or
 * 'unsupported-media-type'.
 */
export async function callBody(
  exchange: Exchange,
  binding: Binding,
  segments: readonly string[],
  options: RequestOptions,
): Promise<Buffer> {
  const { method } = binding
  const { input } = method
  const { create, mergeFromJson, toBinary } = protobuf()
  const parameters = parametersOf(binding, segments, exchange.query, options.json.ignoreUnknownFields === true)
  const body = await readBody(exchange, binding, options.limit)
  const streams = method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming'
  const framed = (message: Message): Buffer => {
    if (parameters !== null) mergeFromJson(input, message, parameters, options.json)
    return frame(toBinary(input, message))
  }
  try {
    return streams ? await listed(body, input, framed, options) : framed(first(body, binding, options))
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw new GatewayError('bad-request', `The request cannot be read: ${messageOf(error)}.`, { cause: error })
  }

  function first(content: Content, { body: target }: Binding, { json }: RequestOptions): Message {
    const { fromJson, fromJsonString } = protobuf()
    if (content === null) return create(input)
    if (target === 'none') throw new GatewayError('bad-request', 'This operation does not accept a body.')
    if (typeof content !== 'string')
      return fromJson(input, target === 'message' ? content : { [target.jsonName]: content }, json)
    if (target === 'message') return fromJsonString(input, content, json)
    const value: JsonValue = parse(content)
    return fromJson(input, { [target.jsonName]: value }, json)
  }
}

/** JSON as text, other content as a google.api.HttpBody, or null if there is none. */
type Content = string | JsonObject | null

async function readBody(exchange: Exchange, { body: target, method }: Binding, limit: number): Promise<Content> {
  const { body, headers } = exchange
  const bytes = await collected(body, limit, exchange.client.address)
  if (bytes === null || bytes.length === 0) return null
  const type = headers.get('Content-Type') ?? ''
  if (isHttpBody(target === 'message' ? method.input : target === 'none' ? undefined : target.message))
    return { contentType: type, data: bytes.toBuffer().toString('base64') }
  const text = textOf(bytes)
  // From clients that always send a body.
  if (target === 'none' && /^\s*(?:\{\s*\})?\s*$/.test(text)) return null
  const coding = headers.combined('Content-Encoding')?.trim().toLowerCase() ?? 'identity'
  if (!JSON_TYPE.test(type) || coding !== 'identity')
    throw new GatewayError('unsupported-media-type', 'The body must be application/json without a content coding.', {
      headers: [
        ['Accept', 'application/json'],
        ['Accept-Encoding', 'identity'],
      ],
    })
  return text
}

/** Whether messages of that type represent bodies that are not JSON. */
export function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === HTTP_BODY
}

function collected(body: Body, limit: number, client: string): Promise<Bytes> | null {
  return body === null ? null : collect(body, limit, client)
}

function textOf(bytes: Bytes): string {
  try {
    return utf8.decode(bytes.toBuffer())
  } catch (error) {
    throw new GatewayError('bad-request', 'The body is not UTF-8.', { cause: error })
  }
}

/** The messages of a client stream, which is sent as a single list: very many small ones take long. */
async function listed(
  content: Content,
  input: DescMessage,
  framed: (message: Message) => Buffer,
  { json, clock }: RequestOptions,
): Promise<Buffer> {
  const value = typeof content === 'string' ? parse(content) : content === null ? [] : [content]
  if (!Array.isArray(value)) throw new GatewayError('bad-request', 'The body is not a list of messages.')
  const { fromJson } = protobuf()
  const slices = new TimeSlices(clock)
  const done: Buffer[] = []
  let frames: Buffer[] = []
  for (const each of value) {
    frames.push(framed(fromJson(input, each, json)))
    if (!slices.over) continue
    // A buffer for each message would take far more memory than its bytes.
    done.push(Buffer.concat(frames))
    frames = []
    await slices.next()
  }
  return Buffer.concat([...done, ...frames])
}

function parse(text: string): JsonValue {
  const value: unknown = JSON.parse(text)
  if (!isJson(value)) throw new SyntaxError('there is no value')
  return value
}

/** For results of JSON.parse. */
function isJson(value: unknown): value is JsonValue {
  return value !== undefined
}
