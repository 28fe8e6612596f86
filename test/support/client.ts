import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { request as requestSecurely } from 'node:https'
import { isSecure } from './scheme.ts'

/** The request to send. */
export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** Keeps connections; one per request by default. */
  readonly agent?: Agent
  /** The local address to send from. */
  readonly localAddress?: string
}

/** A complete reply. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly text: string
}

/** Sends a request with node:http. Rejects if there is no reply, or an incomplete one. */
export function send(
  port: number,
  { method = 'GET', path = '/', headers = {}, body, agent, localAddress }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, localAddress, agent: agent ?? false }
    const outgoing = isSecure(port) ? requestSecurely({ ...options, rejectUnauthorized: false }) : request(options)
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the reply was truncated'))
        const whole = Buffer.concat(chunks)
        const { statusCode = 0, headers: answered, rawHeaders } = response
        resolve({ status: statusCode, headers: answered, rawHeaders, body: whole, text: whole.toString() })
      })
    })
    outgoing.end(body)
  })
}
