import { Agent, request } from 'node:https'
import type { Clock } from '../core/clock.ts'
import { AcmeError } from './acme-error.ts'

/** Octets that an answer may have: a chain of certificates has some ten thousand. */
const LARGEST = 256 * 1024
/** How long an answer may take, in milliseconds. */
const PATIENCE = 30_000

/** What is asked of a server. */
export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: string
  /** A JWS, with POST. */
  readonly body?: string
}

/** What a server answers. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly nonce: string | undefined
  readonly location: string | undefined
  readonly retryAfter: string | undefined
}

/** Connections to ACME servers, over https alone (RFC 8555 section 6.1). */
export class Transport {
  private readonly clock: Clock
  private readonly agent: Agent
  private readonly ending: AbortSignal

  /** `ca` is PEM of who is trusted instead of the usual CAs; `ending` breaks off whatever is going on. */
  constructor(clock: Clock, ending: AbortSignal, ca?: string) {
    this.clock = clock
    this.ending = ending
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: 4,
      rejectUnauthorized: true,
      ...(ca !== undefined && { ca }),
    })
  }

  /** Rejects with an AcmeError that says why where there is no answer in time, or one of over 256 kB. Follows no redirect. */
  async ask({ method, url, body }: Question): Promise<Answer> {
    const { protocol, host } = new URL(url)
    if (protocol !== 'https:') throw new AcmeError(`${url} is not an https URL`)
    const controller = new AbortController()
    const late = new AcmeError(`${host} did not answer within ${PATIENCE / 1000}s`)
    const inTime = this.clock.after(PATIENCE, () => controller.abort(late))
    const signal = AbortSignal.any([controller.signal, this.ending])
    try {
      return await this.exchange({ method, url, ...(body !== undefined && { body }) }, signal)
    } catch (error) {
      if (controller.signal.aborted) throw late
      if (error instanceof AcmeError) throw error
      throw new AcmeError(`${host} cannot be reached: ${reasonOf(error)}`)
    } finally {
      inTime()
    }
  }

  close(): void {
    this.agent.destroy()
  }

  private exchange({ method, url, body }: Question, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const headers = {
      'User-Agent': 'sallyport',
      Accept: 'application/json, application/pem-certificate-chain, application/problem+json',
      ...(body !== undefined && { 'Content-Type': 'application/jose+json', 'Content-Length': Buffer.byteLength(body) }),
    }
    const outgoing = request(url, { method, headers, agent: this.agent, signal }, (incoming) => {
      const chunks: Buffer[] = []
      let size = 0
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= LARGEST) chunks.push(chunk)
        else incoming.destroy(new AcmeError(`the answer has over ${LARGEST} octets`))
      })
      incoming.on('error', reject)
      incoming.on('end', () => {
        const nonce = incoming.headers['replay-nonce']
        resolve({
          status: incoming.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          nonce: typeof nonce === 'string' ? nonce : undefined,
          location: incoming.headers.location,
          retryAfter: incoming.headers['retry-after'],
        })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
    return promise
  }
}

/** An error of several attempts to connect says nothing but its code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}
