import { Agent, request } from 'node:https'
import type { Clock } from '../core/clock.ts'
import { AcmeError } from './acme-error.ts'

/** Maximum size of a reply in bytes; a certificate chain has about ten thousand. */
const MAX_SIZE = 256 * 1024
/** Timeout for a reply, in milliseconds. */
const TIMEOUT = 30_000

/** A request to a server. */
export interface AcmeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: string
  /** A JWS, with POST. */
  readonly body?: string
}

/** A reply of a server. */
export interface AcmeResponse {
  readonly status: number
  readonly text: string
  readonly nonce: string | undefined
  readonly location: string | undefined
  readonly retryAfter: string | undefined
}

/** Connections to ACME servers, over https only (RFC 8555 section 6.1). */
export class Transport {
  private readonly clock: Clock
  private readonly agent: Agent
  private readonly ending: AbortSignal

  /** `ca` is PEM of the authorities trusted instead of the default ones; `ending` aborts everything in progress. */
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

  /** Rejects with an AcmeError that says why there is no reply in time, or if it exceeds 256 kB. Follows no redirects. */
  async send({ method, url, body }: AcmeRequest): Promise<AcmeResponse> {
    const { protocol, host } = new URL(url)
    if (protocol !== 'https:') throw new AcmeError(`${url} is not an https URL`)
    const controller = new AbortController()
    const late = new AcmeError(`${host} did not answer within ${TIMEOUT / 1000}s`)
    const inTime = this.clock.after(TIMEOUT, () => controller.abort(late))
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

  private exchange({ method, url, body }: AcmeRequest, signal: AbortSignal): Promise<AcmeResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<AcmeResponse>()
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
        if (size <= MAX_SIZE) chunks.push(chunk)
        else incoming.destroy(new AcmeError(`the response is larger than ${MAX_SIZE} bytes`))
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

/** An error that combines several connection attempts contains only its code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}
