import { type IncomingMessage, request as requestPlainly, type RequestOptions } from 'node:http'
import { request as requestSecurely } from 'node:https'
import type { Clock } from '../../../core/clock.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { fieldOf } from '../../../core/value.ts'
import type { Access } from './access.ts'

/** Timeouts for the head of a reply and for a complete list, in milliseconds. */
const HEAD = 10_000
const WHOLE = 60_000
/** Maximum size of a list, of one event, and of an error message, in bytes. */
const MAX_LIST = 33_554_432
const MAX_EVENT = 4_194_304
const MAX_ERROR = 65_536
/** Interval of TCP keep-alive probes while nothing arrives, in milliseconds. */
const KEEP_ALIVE = 15_000

/** The API server rejected a request. */
export class ApiError extends Error {
  readonly status: number
  /** When to retry, in milliseconds; null if the server does not say. */
  readonly wait: number | null

  constructor(status: number, message: string, wait: number | null = null) {
    super(message)
    this.status = status
    this.wait = wait
  }
}

/** A request to the API server. */
export interface Ask {
  readonly access: Access
  /** Path and query. */
  readonly path: string
  readonly clock: Clock
  /** Aborts the request at any stage. */
  readonly signal: AbortSignal
}

/** The parsed reply. Rejects with ApiError, or with another Error that says what failed. */
export async function askOnce(ask: Ask): Promise<unknown> {
  const response = await open(ask)
  const cancel = ask.clock.after(WHOLE, () => response.destroy(new Error(`no complete list within ${WHOLE} ms`)))
  try {
    return parse(await textOf(response, MAX_LIST))
  } finally {
    cancel()
  }
}

/** Callbacks for a stream. */
export interface Stream {
  /** Called when the stream is open. */
  readonly opened: () => void
  /** Called with each parsed line. If it throws, the stream is closed. */
  readonly onEvent: (event: unknown) => void
  /** The stream is closed if nothing arrives for this many milliseconds. */
  readonly timeout: number
}

/** Resolves when the server ends the stream between two lines. Rejects in the same way as `askOnce`, and with errors thrown by `onEvent`. */
export async function follow(ask: Ask, { opened, onEvent, timeout }: Stream): Promise<void> {
  const response = await open(ask)
  const { clock } = ask
  const idle = (): (() => void) =>
    clock.after(timeout, () => response.destroy(new Error(`no data for ${timeout / 1000} s`)))
  let cancel = idle()
  try {
    opened()
    let rest: Buffer = Buffer.alloc(0)
    for await (const bytes of response as AsyncIterable<Buffer>) {
      cancel()
      cancel = idle()
      let part: Buffer = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      for (let end = part.indexOf(10); end !== -1; end = part.indexOf(10)) {
        onEvent(parse(part.toString('utf8', 0, end)))
        part = part.subarray(end + 1)
      }
      if (part.length > MAX_EVENT) throw new Error('an event is too large')
      rest = part
    }
    if (rest.length > 0) throw new Error('the stream ended in the middle of an event')
  } finally {
    cancel()
    response.destroy()
  }
}

async function open({ access, path, clock, signal }: Ask): Promise<IncomingMessage> {
  const { server, token, ca } = access
  const options: RequestOptions = {
    agent: false,
    signal,
    headers: { Accept: 'application/json', ...(token !== null && { Authorization: `Bearer ${token}` }) },
  }
  const url = new URL(server + path)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request =
    url.protocol === 'https:'
      ? requestSecurely(url, { ...options, ...(ca !== null && { ca }) }, resolve)
      : requestPlainly(url, options, resolve)
  const cancel = clock.after(HEAD, () => request.destroy(new Error(`no answer within ${HEAD} ms`)))
  request.on('error', reject)
  request.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE))
  request.end()
  let response: IncomingMessage
  try {
    response = await promise
  } finally {
    cancel()
  }
  if (response.statusCode === 200) return response
  throw await errorOf(response)
}

async function errorOf(response: IncomingMessage): Promise<ApiError> {
  const { statusCode = 0, headers } = response
  let message: unknown
  try {
    message = fieldOf(parse(await textOf(response, MAX_ERROR)), 'message')
  } catch {
    // A proxy in front of the server may use a different error format.
    message = undefined
  }
  const seconds = Number(headers['retry-after'])
  const wait = seconds > 0 ? seconds * 1000 : null
  return new ApiError(statusCode, `${statusCode}${typeof message === 'string' ? `: ${message}` : ''}`, wait)
}

async function textOf(response: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const bytes of response as AsyncIterable<Buffer>) {
    length += bytes.length
    if (length > most) {
      response.destroy()
      throw new Error(`a response of more than ${most} bytes`)
    }
    parts.push(bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): unknown {
  const value = parseJson(text)
  if (value === undefined) throw new Error('the response is not JSON')
  return value
}
