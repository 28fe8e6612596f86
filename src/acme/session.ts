import type { KeyObject } from 'node:crypto'
import { createPublicKey } from 'node:crypto'
import { FlattenedSign } from 'jose'
import type { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { parseJson } from '../core/parse-json.ts'
import { AcmeError, errorOfResponse } from './acme-error.ts'
import { type Directory, directorySchema } from './directory.ts'
import type { AcmeResponse, Transport } from './transport.ts'

/** Maximum number of retries because of a rejected nonce. */
const MAX_NONCES = 12
/** Maximum number of nonces kept for later requests. */
const SPARE_NONCES = 10
/** How long a directory is cached, in milliseconds. */
const DIRECTORY_LASTS = 3600 * 1000

/** Signs requests: as an account identified by its URL, or with a key that has no account yet. */
export interface Signer {
  readonly key: KeyObject
  /** URL of the account; null for a key that is being registered. */
  readonly account: string | null
}

/** Requests to one ACME server: signed, each with a fresh nonce (RFC 8555 section 6). */
export class Session {
  readonly url: string
  readonly clock: Clock
  private readonly transport: Transport
  private readonly nonces: string[] = []
  private known: { readonly directory: Directory; readonly until: number } | null = null

  /** `url` is that of the directory. */
  constructor(url: string, transport: Transport, clock: Clock) {
    this.url = url
    this.transport = transport
    this.clock = clock
  }

  /** The server's resources. Rejects with an AcmeError if they cannot be loaded. */
  async directory(): Promise<Directory> {
    const { known, clock } = this
    if (known !== null && clock.now() < known.until) return known.directory
    const answer = await this.transport.send({ method: 'GET', url: this.url })
    const directory = this.read(answer, directorySchema, `the directory ${this.url}`)
    this.known = { directory, until: clock.now() + DIRECTORY_LASTS }
    return directory
  }

  /** Reads a public resource without authentication (RFC 9773 section 4.1). */
  async get(url: string): Promise<AcmeResponse> {
    return this.accept(await this.transport.send({ method: 'GET', url }), `GET ${url}`)
  }

  /**
   * Sends a signed request; with `payload` null, reads a resource (POST-as-GET, RFC 8555 section 6.3). Retries if a nonce is rejected.
   * Rejects with an AcmeError for any other error reply.
   */
  async post(url: string, payload: object | null, signer: Signer): Promise<AcmeResponse> {
    for (let attempt = 1; ; attempt++) {
      const body = await sign(url, payload, await this.nonce(), signer)
      const answer = await this.transport.send({ method: 'POST', url, body })
      this.keep(answer.nonce)
      if (answer.status < 300) return answer
      const error = errorOfResponse(new URL(url).host, answer, this.clock.wall())
      if (error.type !== 'badNonce' || attempt === MAX_NONCES) throw error
    }
  }

  /** Parses a reply with that schema; throws an AcmeError if it does not match. */
  read<Schema extends z.ZodType>(answer: AcmeResponse, schema: Schema, what: string): z.output<Schema> {
    const { success, data } = schema.safeParse(parseJson(this.accept(answer, what).text))
    if (!success)
      throw new AcmeError(
        `${what} is not as RFC 8555 requires; check that the configured URL is that of an ACME directory`,
      )
    return data
  }

  private accept(answer: AcmeResponse, what: string): AcmeResponse {
    if (answer.status >= 200 && answer.status < 300) return answer
    throw errorOfResponse(what, answer, this.clock.wall())
  }

  private async nonce(): Promise<string> {
    const stored = this.nonces.pop()
    if (stored !== undefined) return stored
    const { newNonce } = await this.directory()
    const { nonce } = this.accept(await this.transport.send({ method: 'HEAD', url: newNonce }), `HEAD ${newNonce}`)
    if (nonce === undefined) throw new AcmeError(`${newNonce} returned no nonce`)
    return nonce
  }

  private keep(nonce: string | undefined): void {
    if (nonce !== undefined && this.nonces.length < SPARE_NONCES) this.nonces.push(nonce)
  }
}

async function sign(url: string, payload: object | null, nonce: string, signer: Signer): Promise<string> {
  const { key, account } = signer
  const content = payload === null ? '' : JSON.stringify(payload)
  const identity = account === null ? { jwk: publicJwk(key) } : { kid: account }
  const jws = new FlattenedSign(Buffer.from(content)).setProtectedHeader({ alg: 'ES256', nonce, url, ...identity })
  return JSON.stringify(await jws.sign(key))
}

/** The public half of a P-256 key as a JWK (RFC 7518 section 6.2.1). */
export function publicJwk(key: KeyObject): { kty: string; crv: string; x: string; y: string } {
  const { kty = '', crv = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { kty, crv, x, y }
}
