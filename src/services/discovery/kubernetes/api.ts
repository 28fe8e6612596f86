import { type IncomingMessage, request as requestPlainly, type RequestOptions } from 'node:http'
import { request as requestSecurely } from 'node:https'
import type { Clock } from '../../../core/clock.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { fieldOf } from '../../../core/value.ts'
import type { Access } from './access.ts'

/** How long the head of an answer, and a whole list, may take, in milliseconds. */
const HEAD = 10_000
const WHOLE = 60_000
/** The most octets of a list, of one event, and of what an error says. */
const LARGEST_LIST = 33_554_432
const LARGEST_EVENT = 4_194_304
const LARGEST_ERROR = 65_536
/** How often the system looks whether the other side is still there while nothing comes, in milliseconds. */
const KEEP_ALIVE = 15_000

/** The API server does not do what it was asked to. */
export class ApiError extends Error {
  readonly status: number
  /** When it may be asked again, in milliseconds; null where it does not say. */
  readonly wait: number | null

  constructor(status: number, message: string, wait: number | null = null) {
    super(message)
    this.status = status
    this.wait = wait
  }
}

/** A question to the API server. */
export interface Ask {
  readonly access: Access
  /** Path and query. */
  readonly path: string
  readonly clock: Clock
  /** Ends it, whatever it is at. */
  readonly signal: AbortSignal
}

/** The answer as it was parsed. Rejects with ApiError, or an Error that says what failed. */
export async function askOnce(ask: Ask): Promise<unknown> {
  const response = await open(ask)
  const cancel = ask.clock.after(WHOLE, () => response.destroy(new Error(`no whole list within ${WHOLE} ms`)))
  try {
    return parse(await textOf(response, LARGEST_LIST))
  } finally {
    cancel()
  }
}

/** What is told of a stream. */
export interface Stream {
  /** It is open. */
  readonly opened: () => void
  /** What each line of it says. May throw, which ends it. */
  readonly said: (event: unknown) => void
  /** It ends where nothing comes for so many milliseconds. */
  readonly patience: number
}

/** Resolves when the server ends the stream between two lines. Rejects as `askOnce` does, and with what `said` throws. */
export async function follow(ask: Ask, { opened, said, patience }: Stream): Promise<void> {
  const response = await open(ask)
  const { clock } = ask
  const idle = (): (() => void) =>
    clock.after(patience, () => response.destroy(new Error(`nothing came for ${patience / 1000} s`)))
  let cancel = idle()
  try {
    opened()
    let rest: Buffer = Buffer.alloc(0)
    for await (const octets of response as AsyncIterable<Buffer>) {
      cancel()
      cancel = idle()
      let part: Buffer = rest.length === 0 ? octets : Buffer.concat([rest, octets])
      for (let end = part.indexOf(10); end !== -1; end = part.indexOf(10)) {
        said(parse(part.toString('utf8', 0, end)))
        part = part.subarray(end + 1)
      }
      if (part.length > LARGEST_EVENT) throw new Error('an event is too large')
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
    message = fieldOf(parse(await textOf(response, LARGEST_ERROR)), 'message')
  } catch {
    // What stands in front of the server says it in its own way.
    message = undefined
  }
  const seconds = Number(headers['retry-after'])
  const wait = seconds > 0 ? seconds * 1000 : null
  return new ApiError(statusCode, `${statusCode}${typeof message === 'string' ? `: ${message}` : ''}`, wait)
}

async function textOf(response: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const octets of response as AsyncIterable<Buffer>) {
    length += octets.length
    if (length > most) {
      response.destroy()
      throw new Error(`an answer of more than ${most} octets`)
    }
    parts.push(octets)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): unknown {
  const value = parseJson(text)
  if (value === undefined) throw new Error('what came is no JSON')
  return value
}
