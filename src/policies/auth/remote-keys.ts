import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import { OutageLog, type OutageTools } from '../../core/outage-log.ts'
import { SingleFlight } from '../../core/single-flight.ts'
import { isFields } from '../../core/value.ts'
import type { Claims } from './claims.ts'
import { createFetch, type FetchText } from '../../openid/fetch-text.ts'
import { type KeySource, keyOfJwk, type VerificationKey } from './keys.ts'
import { shownUrl } from '../../openid/http-url.ts'

/** Timeout for fetching the keys, in milliseconds. */
const TIMEOUT = 5000
/** Minimum time between two attempts, in milliseconds, however many tokens name an unknown key. */
const COOLDOWN = 10_000
/** The same as long as no keys have been fetched at all. */
const FIRST_COOLDOWN = 1000
/** Most keys in one set. */
const MAX_KEYS = 100

export interface RemoteKeysOptions {
  /** The URL of the key set, or the OpenID provider that publishes it. */
  readonly from: { readonly jwks: string } | { readonly issuer: string }
  /** The trusted certificate authority, PEM, instead of Node's defaults. */
  readonly ca?: string | undefined
  /** Age in milliseconds after which the set is fetched again. */
  readonly refresh: number
  /** Called when the set has changed. */
  readonly changed: () => void
}

/**
 * The keys of a JSON Web Key Set (RFC 7517) at a URL. They are fetched by the first token, unless `refresh` was called before; again by
 * the first token after `options.refresh`, which does not wait for the result; and when a token names an unknown key, which does wait.
 * The last fetched set is used for as long as no newer one is available.
 */
export class RemoteKeys implements KeySource {
  private readonly options: RemoteKeysOptions
  private readonly clock: Clock
  private readonly fetch: FetchText
  private keys: readonly VerificationKey[] | null = null
  /** The set as received. */
  private text = ''
  /** Monotonic milliseconds. */
  private fetchedAt = -Infinity
  private attemptedAt = -Infinity
  private readonly refreshing = new SingleFlight<void>()
  private readonly outage: OutageLog
  private readonly ended = new AbortController()

  constructor(options: RemoteKeysOptions, toolbox: OutageTools) {
    this.options = options
    this.clock = toolbox.clock
    this.fetch = createFetch(options.ca, toolbox.clock)
    const { from } = options
    this.outage = new OutageLog(
      {
        fields: { from: shownUrl('jwks' in from ? from.jwks : from.issuer) },
        begins: 'The keys that verify tokens cannot be fetched; the current ones stay in use',
        ends: 'The keys that verify tokens can be fetched again',
      },
      toolbox,
    )
  }

  find(algorithm: string, id: string | undefined): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    if (this.keys === null) return this.refresh().then(() => this.select(algorithm, id))
    if (this.clock.now() - this.fetchedAt > this.options.refresh) void this.refresh()
    const found = this.select(algorithm, id)
    if (found.length > 0 || id === undefined) return found
    return this.refresh().then(() => this.select(algorithm, id))
  }

  /** Ends a request for the set: otherwise a gateway that stops would wait for the reply. */
  close(): void {
    this.ended.abort()
  }

  /** Fetches the set unless that was attempted very recently; never rejects. */
  refresh(): Promise<void> {
    return this.refreshing.join('', () => {
      const now = this.clock.now()
      if (now - this.attemptedAt < (this.keys === null ? FIRST_COOLDOWN : COOLDOWN)) return Promise.resolve()
      this.attemptedAt = now
      return this.load().then(
        (text) => this.loaded(text),
        (error: unknown) => this.failed(error),
      )
    })
  }

  /** A token without a key id is accepted only if exactly one key is eligible (OpenID Connect Core 1.0 section 10.1). */
  private select(algorithm: string, id: string | undefined): readonly VerificationKey[] {
    if (this.keys === null)
      throw new GatewayError('service-unavailable', 'The keys that verify tokens cannot be fetched; try again later.')
    const fitting = this.keys.filter((key) => key.algorithms.includes(algorithm))
    if (id !== undefined) return fitting.filter((key) => key.id === id)
    return fitting.length === 1 ? fitting : []
  }

  private async load(): Promise<string> {
    const text = await this.get(await this.locate())
    if (this.text !== text) this.keys = this.replace(text)
    return text
  }

  private replace(text: string): VerificationKey[] {
    const { keys } = parseObject(text)
    if (!Array.isArray(keys)) throw new Error('the response is not a JSON Web Key Set')
    if (keys.length > MAX_KEYS) throw new Error(`the set has more than ${MAX_KEYS} keys`)
    const usable = keys.map(keyOfJwk).filter((key) => key !== null)
    if (usable.length === 0) throw new Error('the set has no key to verify signatures with')
    return usable
  }

  private loaded(text: string): void {
    const isOther = this.text !== '' && this.text !== text
    this.text = text
    this.fetchedAt = this.clock.now()
    this.outage.worked()
    if (isOther) this.options.changed()
  }

  private failed(error: unknown): void {
    if (!this.ended.signal.aborted) this.outage.failed(error)
  }

  /** OpenID Connect Discovery 1.0 section 4: the provider's document must name the issuer that was asked for. */
  private async locate(): Promise<string> {
    const { from } = this.options
    if ('jwks' in from) return from.jwks
    const document = parseObject(await this.get(`${from.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
    if (document['issuer'] !== from.issuer) throw new Error('the discovery document is for another issuer')
    const location = document['jwks_uri']
    if (typeof location !== 'string' || !URL.canParse(location))
      throw new Error('the discovery document has no jwks_uri')
    const isWeaker = new URL(from.issuer).protocol === 'https:' && new URL(location).protocol !== 'https:'
    if (isWeaker) throw new Error('the jwks_uri is not https, although the issuer is')
    return location
  }

  private async get(url: string): Promise<string> {
    const { signal } = this.ended
    const { status, text } = await this.fetch(url, {
      timeout: TIMEOUT,
      headers: { Accept: 'application/json' },
      signal,
    })
    if (status !== 200) throw new Error(`${shownUrl(url)} returned status ${status}`)
    return text
  }
}

function parseObject(text: string): Claims {
  const value: unknown = JSON.parse(text)
  if (!isFields(value)) throw new Error('the response is not a JSON object')
  return value
}
