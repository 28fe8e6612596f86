import { HTTPParser, methods } from 'node:_http_common'

/** One message as parsed by Node's llhttp, without any leniency. */
export interface ReadMessage {
  method: string
  target: string
  status: number
  /** Alternating names and values. */
  headers: string[]
  /** One character per byte. */
  body: string
  trailers: string[]
  complete: boolean
  /** Whether the connection may carry another message. */
  keepAlive: boolean
  /** Whether another protocol is requested or begins: then nothing after the message is read. */
  upgrade: boolean
}

export interface Reading {
  messages: ReadMessage[]
  /** The code of the error that ended it, or null. */
  error: string | null
}

/** The methods that llhttp knows. */
export const knownMethods: readonly string[] = methods

/** Parses requests, as a second opinion on their meaning. */
export function readRequests(parts: readonly Buffer[]): Reading {
  return read(HTTPParser.REQUEST, parts, 0, false)
}

/** Parses the responses to requests with that method, up to the end of the connection if `closed`. */
export function readResponses(parts: readonly Buffer[], method: string, closed: boolean): Reading {
  return read(HTTPParser.RESPONSE, parts, method === 'HEAD' ? SKIP_BODY : 0, closed)
}

const SKIP_BODY = 1
const nothing: { headers: string[]; target: string } = { headers: [], target: '' }
const HEAD_LIMIT = 1 << 20

function read(type: number, parts: readonly Buffer[], afterHead: number, closed: boolean): Reading {
  const messages: ReadMessage[] = []
  let early = nothing
  const last = (): ReadMessage => messages.at(-1)!
  const parser = new HTTPParser()
  parser.initialize(type, {}, HEAD_LIMIT, HTTPParser.kLenientNone)
  Object.assign(parser, {
    // Trailers, or the first of many fields.
    [HTTPParser.kOnHeaders](headers: string[], target: string) {
      const message = messages.at(-1)
      if (message === undefined || message.complete)
        early = { headers: [...early.headers, ...headers], target: early.target + target }
      else message.trailers.push(...headers)
    },
    [HTTPParser.kOnHeadersComplete](
      _major: number,
      _minor: number,
      headers: string[] | undefined,
      method: number | undefined,
      target: string | undefined,
      status: number | undefined,
      _reason: string | undefined,
      upgrade: boolean,
      keepAlive: boolean,
    ) {
      messages.push({
        method: method === undefined ? '' : methodName(method),
        target: target ?? early.target,
        status: status ?? 0,
        headers: [...early.headers, ...(headers ?? [])],
        body: '',
        trailers: [],
        complete: false,
        keepAlive,
        upgrade,
      })
      early = nothing
      return afterHead
    },
    [HTTPParser.kOnBody](bytes: Buffer) {
      last().body += bytes.toString('latin1')
    },
    [HTTPParser.kOnMessageComplete]() {
      last().complete = true
    },
  })
  for (const part of parts) {
    const result = parser.execute(Buffer.from(part))
    if (result instanceof Error) return { messages, error: codeOf(result) }
  }
  const end = closed ? parser.finish() : undefined
  parser.close()
  return { messages, error: end instanceof Error ? codeOf(end) : null }
}

/** The numbers of llhttp have a gap before the last of the HTTP methods. */
function methodName(number: number): string {
  return (number < methods.length - 1 ? methods[number] : methods.at(-1)) ?? ''
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}
