import type { Registry } from '@bufbuild/protobuf'
import { definePolicy } from '../policy.ts'
import { type Body, Bytes, cancelBody, isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { knownLine } from '../../http/field-lines.ts'
import { GRPC_STATUS } from '../../http/grpc-error.ts'
import { callOf, refusalOfCall } from '../../http/grpc-request.ts'
import type { Handler } from '../../http/handler.ts'
import { type Headers, replaceLines } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import { errorReply } from '../../http/problem.ts'
import { discardReply, Reply } from '../../http/reply.ts'
import { isGrpc } from '../../grpc/call.ts'
import { grpcStatus, parseGrpcStatus } from '../../grpc/status.ts'
import { changeRequest } from '../change-request.ts'
import { addVary } from '../vary.ts'
import { openApiOf } from './open-api.ts'
import type { Binding } from './bindings.ts'
import { begin } from './begun-body.ts'
import { compiled } from './compiled.ts'
import { CallFailed } from './failure.ts'
import { JsonStream, unreadable } from './json-stream.ts'
import { grpcJsonOptions } from './options.ts'
import { PacedBody } from './paced-body.ts'
import { type Content, replyForm } from './reply-form.ts'
import { callBody, type RequestOptions } from './request.ts'
import { type StreamForm, streamForm } from './stream-form.ts'
import { wholeReply } from './whole-reply.ts'

/** Headers of the client's request that do not apply to the gRPC call. */
const OF_JSON = new NameSet([
  'Content-Type',
  'Content-Encoding',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'Content-MD5',
  'Trailer',
  'Accept',
  'Accept-Encoding',
  'Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
  'If-Range',
  'Grpc-Encoding',
  'Grpc-Accept-Encoding',
])
const CALL_FIELDS = knownLine('Content-Type', 'application/grpc') + knownLine('Grpc-Accept-Encoding', 'identity')

/** Headers of the service's reply that do not apply to what the client gets. */
const OF_CALL = new NameSet([
  'Content-Type',
  'Content-Encoding',
  'Content-Length',
  'Accept-Encoding',
  'Accept-Ranges',
  'ETag',
  'Trailer',
  'Grpc-Encoding',
  'Grpc-Accept-Encoding',
  'Grpc-Status',
  'Grpc-Message',
  'Grpc-Status-Details-Bin',
])

/** Lets clients of JSON over HTTP call gRPC services. */
export const grpcJson = definePolicy({
  name: 'grpc-json',
  summary: 'Lets clients call gRPC services with JSON over HTTP, at the paths of google.api.http annotations.',
  changesRequests: true,
  options: grpcJsonOptions,
  files: [
    {
      path: ['schema'],
      read: async (written, open) => {
        // Loaded only if a schema is configured: worker threads never read one.
        const { readSchema } = await import('./schema-file.ts')
        return readSchema(written, open)
      },
    },
  ],
  fields: () => ['Content-Type', 'Content-Encoding', 'Accept', 'Grpc-Timeout'],
  isShared: () => true,
  document: () => ({ moves: true }),
  describe(options) {
    const { basePath = '', output } = options
    return openApiOf(compiled(options).bindings.placed, basePath, output)
  },
  *prepare(options) {
    compiled(options)
    yield
  },
  create(options, { clock }, route) {
    // Requests that match no route are refused in any case.
    if (route.id === '') return (next) => next
    const { bindings, types } = compiled(options)
    const { basePath = '', limit, output, unknown, unknownFields } = options
    const request: RequestOptions = {
      limit,
      clock,
      json: { registry: types, ignoreUnknownFields: unknownFields === 'ignore' },
    }
    const write = {
      registry: types,
      alwaysEmitImplicit: output.defaults,
      enumAsInteger: output.enums === 'numbers',
      useProtoFieldName: output.fields === 'proto',
    }
    const forms = new WeakMap<Binding, (message: Uint8Array) => Content>()
    const formOf = (binding: Binding): ((message: Uint8Array) => Content) => {
      const form = forms.get(binding) ?? replyForm(binding, write)
      forms.set(binding, form)
      return form
    }
    return (next) => (exchange) => {
      if (isGrpc(exchange.headers.get('Content-Type'))) return next(exchange)
      const path = pathBelow(basePath, exchange.path)
      const found = path === null ? null : bindings.find(path, exchange.method)
      if (found?.found === true)
        return new Transcoding(found.value, formOf(found.value), limit, types).run(
          exchange,
          found.segments,
          request,
          next,
        )
      if (unknown === 'pass') return next(exchange)
      const allow = found?.allow ?? []
      if (allow.length === 0) throw new GatewayError('not-found', 'No method has this path.')
      throw new GatewayError('method-not-allowed', undefined, { headers: [['Allow', allow.join(', ')]] })
    }
  },
})

/** The part of the path after the base; null for a path outside of it. */
function pathBelow(base: string, path: string): string | null {
  if (base === '') return path
  return path.startsWith(`${base}/`) ? path.slice(base.length) : null
}

/** One request converted to a gRPC call, and its reply. */
class Transcoding {
  private readonly binding: Binding
  private readonly form: (message: Uint8Array) => Content
  private readonly limit: number
  private readonly types: Registry

  constructor(binding: Binding, form: (message: Uint8Array) => Content, limit: number, types: Registry) {
    this.binding = binding
    this.form = form
    this.limit = limit
    this.types = types
  }

  async run(exchange: Exchange, segments: readonly string[], options: RequestOptions, next: Handler): Promise<Reply> {
    if (exchange.refusal !== null) throw exchange.refusal
    const stream = streamForm(exchange.headers.combined('Accept'))
    const body = await callBody(exchange, this.binding, segments, options)
    const reply = await this.call(exchange, body, next)
    const { error } = exchange
    if (error !== null) {
      discardReply(reply)
      return errorReply(error, exchange)
    }
    try {
      return await this.replyOf(reply, stream, exchange)
    } catch (thrown) {
      // A failure in the gateway is not an error status of the service.
      if (exchange.error !== null) return errorReply(exchange.error, exchange)
      if (thrown instanceof CallFailed) return thrown.toReply(exchange, passing(reply.headers), this.types)
      throw thrown
    }
  }

  /** The gRPC reply of the service. */
  private async call(exchange: Exchange, body: Buffer, next: Handler): Promise<Reply> {
    const headers = exchange.headers.clone()
    replaceLines(headers, OF_JSON, CALL_FIELDS)
    const grpc = callOf(headers, exchange.start)
    const refusal = grpc === null ? null : refusalOfCall(grpc, '2')
    if (refusal !== null) throw refusal
    const grpcRequest = {
      method: 'POST',
      path: this.binding.path,
      query: '',
      headers,
      body: Bytes.fromBuffer(body),
      grpc,
    }
    const restore = changeRequest(exchange, grpcRequest)
    try {
      return await next(exchange)
    } finally {
      restore()
      exchange.grpc = null
    }
  }

  private async replyOf(reply: Reply, stream: StreamForm, exchange: Exchange): Promise<Reply> {
    const { status, headers, body } = reply
    if (status !== 200 || !isGrpc(headers.get('Content-Type'))) return foreign(reply)
    if (headers.has(GRPC_STATUS)) {
      cancelBody(body)
      if (parseGrpcStatus(headers.get(GRPC_STATUS) ?? '') !== grpcStatus('OK')) throw new CallFailed(headers)
    }
    const streams = ['server_streaming', 'bidi_streaming'].includes(this.binding.method.methodKind)
    if (streams) return this.streamed(headers, body, stream, exchange)
    const { type, bytes } = this.converted(await wholeReply(body, this.limit, exchange.client.address))
    return made(headers, type ?? 'application/json', Bytes.fromBuffer(bytes))
  }

  private async streamed(headers: Headers, body: Body, form: StreamForm, exchange: Exchange): Promise<Reply> {
    addVary(headers, 'Accept')
    if (!isStream(body)) {
      if (!headers.has(GRPC_STATUS)) throw new CallFailed(null)
      return made(headers, form.type, Bytes.fromText(form.start + form.end))
    }
    const source = new JsonStream(new PacedBody(body), form, this.form, this.limit)
    if (exchange.method === 'HEAD') {
      body.cancel()
      return made(headers, form.type, null)
    }
    const begun = await begin(source)
    return made(headers, source.type ?? form.type, begun)
  }

  private converted(message: Buffer): Content {
    try {
      return this.form(message)
    } catch (error) {
      throw unreadable(error)
    }
  }
}

/** A reply that is not gRPC, from the service or a proxy in front of it: error replies are passed on unchanged. */
function foreign(reply: Reply): Reply {
  if (reply.status >= 400) return reply
  discardReply(reply)
  throw new GatewayError('bad-gateway', 'The service did not reply with gRPC.')
}

function made(headers: Headers, type: string, body: Body): Reply {
  const fields = passing(headers)
  fields.set('Content-Type', type)
  return new Reply(200, fields, body)
}

/** The service's headers that the client gets. */
function passing(headers: Headers): Headers {
  const fields = headers.clone()
  replaceLines(fields, OF_CALL, '')
  return fields
}
