import * as http from 'node:http'
import * as https from 'node:https'
import type { Clock } from '../core/clock.ts'
import { codeOf } from '../core/error-facts.ts'
import { outgoingContext } from '../tls/outgoing.ts'
import { explainTls } from '../tls/tls-failure.ts'

/** Maximum size of a response, in bytes. */
const LIMIT = 512 * 1024
/** Maximum number of connections to a host, and how long an idle one is kept, in milliseconds. */
const CONNECTIONS = 64
const IDLE = 4000

/** A request, with the time limit for its whole response in milliseconds. */
export interface FetchOptions {
  readonly timeout: number
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the request before its time limit. */
  readonly signal?: AbortSignal
}

/** A response. */
export interface Fetched {
  readonly status: number
  readonly text: string
  /** Content-Type, or "". */
  readonly type: string
}

/**
 * Fetches a URL of the configuration. Does not follow redirects, which would lead to a URL that is not configured. Rejects with an Error
 * that gives the reason if there is no response in time or it is larger than 512 kB.
 */
export type FetchText = (url: string, options: FetchOptions) => Promise<Fetched>

/** Creates a fetch function with its own connections; `ca` replaces the certificate authorities that Node trusts. */
export function createFetch(ca: string | undefined, clock: Clock): FetchText {
  const agentOptions = { keepAlive: true, maxSockets: CONNECTIONS, timeout: IDLE }
  const plain = new http.Agent(agentOptions)
  const secure = new https.Agent({ ...agentOptions, rejectUnauthorized: true, secureContext: outgoingContext({ ca }) })
  return async (url, options) => {
    const target = new URL(url)
    const { timeout, signal: early } = options
    const controller = new AbortController()
    const signal = early === undefined ? controller.signal : AbortSignal.any([controller.signal, early])
    const late = new Error(`no answer within ${timeout} ms`)
    const cancel = clock.after(timeout, () => controller.abort())
    const ask = (): http.ClientRequest => {
      const { body: _, ...rest } = options
      const requestOptions = { ...rest, timeout: 0, signal }
      return target.protocol === 'https:'
        ? https.request(target, { ...requestOptions, agent: secure })
        : http.request(target, { ...requestOptions, agent: plain })
    }
    try {
      return await answerOf(ask, options.body)
    } catch (error) {
      if (controller.signal.aborted) throw late
      throw error instanceof Error ? explainTls(error, target.hostname, false) : error
    } finally {
      cancel()
    }
  }
}

/** A kept-alive connection may just have been closed as idle: the request is then sent once more. */
async function answerOf(ask: () => http.ClientRequest, body: string | undefined): Promise<Fetched> {
  const first = ask()
  try {
    return await exchange(first, body)
  } catch (error) {
    const isStale = first.reusedSocket && codeOf(error) === 'ECONNRESET'
    if (!isStale) throw error
    return exchange(ask(), body)
  }
}

function exchange(request: http.ClientRequest, body: string | undefined): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > LIMIT) request.destroy(new Error(`the response is larger than ${LIMIT} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          type: response.headers['content-type'] ?? '',
        }),
      )
    })
    request.end(body)
  })
}
