import { z } from 'zod'
import type { Account } from './account.ts'
import { AcmeError, readProblem } from './acme-error.ts'
import type { Challenge, ChallengeType, Solver } from './challenge.ts'
import { pauseUntil } from './pause.ts'
import { retryAfter } from './retry-after.ts'
import type { Session } from './session.ts'
import type { AcmeResponse } from './transport.ts'

/** Time limit for each step of a CA, in milliseconds. */
const STEP = 5 * 60_000
/** Poll intervals if the CA does not specify one, in milliseconds: the first one, and the maximum; each is 1.5 times the previous one. */
const FIRST_LOOK = 250
const LAST_LOOK = 10_000
/** Maximum Retry-After honored during an order: some CAs say a day and are done within seconds. */
const MAX_WAIT = 30_000
/** Maximum number of authorizations per order, and of challenges per authorization. */
const MAX = 100

const httpsUrl = z.url({ protocol: /^https$/ })

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: httpsUrl.array().max(MAX),
  finalize: httpsUrl,
  certificate: httpsUrl.optional(),
  error: z.unknown().optional(),
})

const challengeSchema = z.object({
  type: z.string(),
  url: httpsUrl,
  status: z.string().default('pending'),
  // Base64url characters, with at least 128 bits (RFC 8555 section 8.3).
  token: z
    .string()
    .regex(/^[\w-]{16,256}$/)
    .optional(),
  error: z.unknown().optional(),
})

const authorizationSchema = z.object({
  identifier: z.object({ value: z.string() }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: challengeSchema.array().max(MAX),
})

type Authorization = z.output<typeof authorizationSchema>

export interface OrderRequest {
  /** DNS names, including wildcards. */
  readonly names: readonly string[]
  /** A certificate signing request for these names in DER (RFC 2986). */
  readonly csr: Uint8Array
  readonly solver: Solver
  /** ID of the certificate that this one replaces (RFC 9773 section 5); null for none. */
  readonly replaces: string | null
  /** Aborted when the gateway stops. */
  readonly ending: AbortSignal
}

/** An authorization that is still pending, and the challenge to use. */
interface Open {
  readonly url: string
  readonly challengeUrl: string
  readonly challenge: Challenge
}

/** Obtains one certificate from one CA: from the order to the chain (RFC 8555 section 7.4). */
export class Order {
  private readonly session: Session
  private readonly account: Account
  private readonly request: OrderRequest

  constructor(session: Session, account: Account, request: OrderRequest) {
    this.session = session
    this.account = account
    this.request = request
  }

  /**
   * Resolves with the chain in PEM, leaf first. Rejects with an AcmeError that says what the CA rejected.
   *
   * 1. Create the order.
   * 2. Find the pending authorizations, and publish the answers to their challenges.
   * 3. Ask the CA to validate, and wait for the result.
   * 4. Send the certificate signing request, wait for the certificate, and download it.
   */
  async run(): Promise<string> {
    const { session, request } = this
    // 1.
    const placed = await this.place()
    const order = session.read(placed, orderSchema, 'the order')
    const { location } = placed
    if (location === undefined) throw new AcmeError(`${session.url} returned no URL for the order`)
    // 2.
    const open = await this.openAuthorizations(order.authorizations)
    const withdraw = open.length === 0 ? null : await request.solver.present(open.map(({ challenge }) => challenge))
    // 3.
    try {
      for (const { challengeUrl } of open) await this.post(challengeUrl, {})
      for (const each of open) await this.validated(each)
    } finally {
      await withdraw?.()
    }
    // 4.
    await this.settled(location, ['pending'])
    await this.post(order.finalize, { csr: Buffer.from(request.csr).toString('base64url') })
    const { certificate } = await this.settled(location, ['ready', 'processing'])
    if (certificate === undefined) throw new AcmeError('the order is valid, but the CA returned no certificate')
    return (await this.post(certificate, null)).text
  }

  private async place(): Promise<AcmeResponse> {
    const { session, request } = this
    const { newOrder } = await session.directory()
    const identifiers = request.names.map((value) => ({ type: 'dns', value }))
    if (request.replaces === null) return this.post(newOrder, { identifiers })
    try {
      return await this.post(newOrder, { identifiers, replaces: request.replaces })
    } catch (error) {
      // If the certificate was already replaced or is from a different CA, order without `replaces` (RFC 9773 section 5).
      if (!(error instanceof AcmeError) || !['alreadyReplaced', 'malformed'].includes(error.type)) throw error
      return this.post(newOrder, { identifiers })
    }
  }

  private async openAuthorizations(urls: readonly string[]): Promise<Open[]> {
    const open: Open[] = []
    for (const url of urls) {
      const authorization = await this.authorization(url)
      if (authorization.status === 'valid') continue
      open.push(this.chosen(url, authorization))
    }
    return open
  }

  private chosen(url: string, { identifier, challenges }: Authorization): Open {
    const { type } = this.request.solver
    const found = challenges.find((each) => each.type === type)
    if (found?.token === undefined) throw new AcmeError(notOffered(identifier.value, type, challenges))
    const { token, url: challengeUrl } = found
    const keyAuthorization = `${token}.${this.account.thumbprint}`
    return { url, challengeUrl, challenge: { type, domain: identifier.value, token, keyAuthorization } }
  }

  private async validated({ url, challenge }: Open): Promise<void> {
    const { domain, type } = challenge
    const late = `the CA has not validated the ${type} challenge for ${domain} within ${STEP / 1000}s`
    await this.poll(late, async () => {
      const answer = await this.post(url, null)
      const { status, challenges } = this.session.read(answer, authorizationSchema, 'the authorization')
      if (status === 'pending') return { answer, done: null }
      if (status === 'valid') return { answer, done: true }
      const failed = challenges.find((each) => each.error !== undefined && each.error !== null)
      const { type: reason, detail } = readProblem(failed?.error)
      const why = detail === '' ? `the authorization is ${status}` : detail
      throw new AcmeError(`${type} challenge for ${domain}: ${why}`, reason)
    })
  }

  /** Resolves with the order once it has left these states. */
  private settled(url: string, passing: readonly string[]): Promise<z.output<typeof orderSchema>> {
    return this.poll(`the CA has not processed the order within ${STEP / 1000}s`, async () => {
      const answer = await this.post(url, null)
      const order = this.session.read(answer, orderSchema, 'the order')
      if (order.status === 'invalid') {
        const { type, detail } = readProblem(order.error)
        throw new AcmeError(`the order is invalid${detail === '' ? '' : `: ${detail}`}`, type)
      }
      return { answer, done: passing.includes(order.status) ? null : order }
    })
  }

  /** Polls at the CA's interval until there is a result. */
  private async poll<Result>(
    late: string,
    look: () => Promise<{ answer: AcmeResponse; done: Result | null }>,
  ): Promise<Result> {
    const { clock } = this.session
    const end = clock.now() + STEP
    for (let wait = FIRST_LOOK; ; wait = Math.min(wait * 1.5, LAST_LOOK)) {
      const { answer, done } = await look()
      if (done !== null) return done
      const requested = retryAfter(answer.retryAfter, clock.wall()) ?? wait
      const pause = Math.min(Math.max(requested, FIRST_LOOK), MAX_WAIT)
      if (clock.now() + pause > end) throw new AcmeError(late)
      await pauseUntil(pause, clock, this.request.ending)
    }
  }

  private async authorization(url: string): Promise<Authorization> {
    return this.session.read(await this.post(url, null), authorizationSchema, 'the authorization')
  }

  private post(url: string, payload: object | null): Promise<AcmeResponse> {
    const { key, url: account } = this.account
    return this.session.post(url, payload, { key, account })
  }
}

function notOffered(name: string, type: ChallengeType, offered: readonly { type: string }[]): string {
  return `the CA offers no ${type} challenge for ${name}; it offers ${offered.map((each) => each.type).join(', ')}`
}
