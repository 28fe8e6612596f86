import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { type Message, readMessage, readValues } from './protobuf.ts'

export type Values = Readonly<Record<string, unknown>>

/** A span as received by the collector; times are in nanoseconds. */
export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  /** "" for a root. */
  readonly parentId: string
  readonly state: string
  readonly name: string
  readonly kind: 'server' | 'client' | 'other'
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Values
  readonly events: readonly { readonly name: string; readonly time: bigint; readonly attributes: Values }[]
  readonly status: { readonly code: number; readonly message: string }
  readonly resource: Values
  /** With the flags of the trace in the lower eight bits. */
  readonly flags: number
}

/** A collector that accepts spans as OTLP over HTTP. */
export interface Collector {
  readonly url: string
  readonly spans: readonly CollectedSpan[]
  /** Headers of the exports. */
  readonly exports: readonly NodeJS.Dict<string | string[]>[]
}

/** Field numbers of opentelemetry/proto/trace/v1/trace.proto. */
const KINDS: readonly CollectedSpan['kind'][] = ['other', 'other', 'server', 'client']

/** Runs a collector until the end of the test. It answers every export with that status, and uses TLS if given the options. */
export async function startCollector(t: TestContext, status = 200, tls?: ServerOptions): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const exports: NodeJS.Dict<string | string[]>[] = []
  const listener: RequestListener = (request, response) => {
    exports.push(request.headers)
    void buffer(request).then((body) => {
      spans.push(...spansIn(readMessage(body)))
      response.writeHead(status, { 'Content-Type': 'application/x-protobuf' }).end()
    })
  }
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => new Promise((resolve) => server.close(resolve)))
  cleanUp(t, () => server.closeAllConnections())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the collector has no port')
  const scheme = tls === undefined ? 'http' : 'https'
  return { url: `${scheme}://127.0.0.1:${address.port}`, spans, exports }
}

function spansIn(request: Message): CollectedSpan[] {
  return request.messages(1).flatMap((resourceSpans) => {
    const resource = readValues(resourceSpans.messages(1)[0]!.messages(1))
    const scopes = resourceSpans.messages(2)
    return scopes.flatMap((scope) => scope.messages(2).map((span) => readSpan(span, resource)))
  })
}

function readSpan(span: Message, resource: Values): CollectedSpan {
  const status = span.messages(15)[0]
  return {
    traceId: span.bytes(1).toString('hex'),
    spanId: span.bytes(2).toString('hex'),
    parentId: span.bytes(4).toString('hex'),
    state: span.text(3),
    name: span.text(5),
    kind: KINDS[Number(span.number(6))] ?? 'other',
    start: span.number(7),
    end: span.number(8),
    attributes: readValues(span.messages(9)),
    events: span.messages(11).map((event) => ({
      name: event.text(2),
      time: event.number(1),
      attributes: readValues(event.messages(3)),
    })),
    status: { code: Number(status?.number(3) ?? 0), message: status?.text(2) ?? '' },
    resource,
    flags: Number(span.number(16)),
  }
}
