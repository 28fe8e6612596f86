import { createHash, createPrivateKey, generateKeyPair, type KeyObject, type X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { createRequest } from '../tls/x509/request.ts'
import { type Account, accountOf, type ExternalAccount, register } from './account.ts'
import { parseJson } from '../core/parse-json.ts'
import { AcmeError } from './acme-error.ts'
import type { Solver } from './challenge.ts'
import { HeldLock } from './held-lock.ts'
import type { Issuing } from './certificate-renewer.ts'
import { Order } from './order.ts'
import { pauseUntil } from './pause.ts'
import type { Records } from './records.ts'
import { askRenewalInfo, type RenewalInfo } from './renewal-info.ts'
import { Session } from './session.ts'
import { Transport } from './transport.ts'

/** Settings of a CA. */
export interface AuthoritySettings {
  /** URL of its directory. */
  readonly url: string
  /** Contact address for problems; undefined for none. */
  readonly email: string | undefined
  readonly external: ExternalAccount | undefined
  /** PEM of the authorities trusted for its server instead of the default ones; undefined for the default. */
  readonly ca: string | undefined
}

/** Lifetime of an account lock without renewal, and interval between attempts to acquire it, in milliseconds. */
const LOCK = 15_000
const ASK_AGAIN = 1000
const MAX_TRIES = 60

const accountSchema = z.object({ key: z.string(), url: z.string().nullable() })

const newKeyPair = promisify(generateKeyPair)

/** One CA, with the account shared by all gateways that use the store. */
export class Authority implements Issuing {
  readonly url: string
  private readonly session: Session
  private readonly settings: AuthoritySettings
  private readonly records: Records
  private readonly clock: Clock
  private readonly transport: Transport
  private readonly ending: AbortSignal
  /** The name under which its account is stored. */
  private readonly name: string

  constructor(settings: AuthoritySettings, records: Records, clock: Clock, ending: AbortSignal) {
    const { url, email = '', external, ca } = settings
    this.url = url
    this.settings = settings
    this.records = records
    this.clock = clock
    this.ending = ending
    this.transport = new Transport(clock, ending, ca)
    this.session = new Session(url, this.transport, clock)
    const identity = JSON.stringify([url, email, external?.keyId ?? ''])
    this.name = `account-${createHash('sha256').update(identity).digest('hex').slice(0, 24)}`
  }

  /**
   * Issues a certificate with a new key. `replaces` is the ID of the certificate to be replaced, for CAs with renewal information; `ending`
   * aborts. Rejects with an AcmeError or an error of the store.
   */
  async issue(
    names: readonly string[],
    solver: Solver,
    { replaces, ending }: { replaces: string | null; ending: AbortSignal },
  ): Promise<{ cert: string; key: string }> {
    const { renewalInfo } = await this.session.directory()
    const key = await newKey()
    const csr = createRequest({ key, names })
    const request = { names, csr, solver, replaces: renewalInfo === undefined ? null : replaces, ending }
    const account = await this.account()
    const cert = await new Order(this.session, account, request).run().catch(async (error: unknown) => {
      if (!(error instanceof AcmeError) || error.type !== 'accountDoesNotExist') throw error
      return new Order(this.session, await this.renewAccount(account), request).run()
    })
    return { cert, key: pemOf(key) }
  }

  renewalInfo(leaf: X509Certificate): Promise<RenewalInfo | null> {
    return askRenewalInfo(this.session, leaf)
  }

  close(): void {
    this.transport.close()
  }

  private async account(): Promise<Account> {
    return (
      (await this.stored()).account ?? this.locked(async (held) => (await this.stored()).account ?? this.open(held))
    )
  }

  /** The CA no longer knows the account: creates a new one with the same key, unless another gateway already has. */
  private renewAccount(old: Account): Promise<Account> {
    return this.locked(async (held) => {
      const { account } = await this.stored()
      return account !== null && account.url !== old.url ? account : this.open(held, old.key)
    })
  }

  /** The key is stored before it is used: for a known key, a CA returns the same account. */
  private async open({ lock }: HeldLock, known?: KeyObject): Promise<Account> {
    const key = known ?? (await this.stored()).key ?? (await newKey())
    const write = (url: string | null) => this.records.write(lock, 'account', JSON.stringify({ key: pemOf(key), url }))
    await write(null)
    const account = await register(this.session, key, this.settings)
    await write(account.url)
    return account
  }

  private async stored(): Promise<{ account: Account | null; key: KeyObject | null }> {
    const text = await this.records.read(this.name, 'account')
    const { success, data } = accountSchema.safeParse(parseJson(text ?? ''))
    if (!success) return { account: null, key: null }
    const key = createPrivateKey(data.key)
    return { account: data.url === null ? null : await accountOf(key, data.url), key }
  }

  private async locked<Result>(work: (held: HeldLock) => Promise<Result>): Promise<Result> {
    const { store } = this.records
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const lock = await store.acquire(this.name, LOCK)
      if (lock === null) {
        await pauseUntil(ASK_AGAIN, this.clock, this.ending)
        continue
      }
      const held = new HeldLock(store, lock, LOCK, this.clock)
      try {
        return await work(held)
      } finally {
        await held.release()
      }
    }
    throw new AcmeError(`another gateway has taken too long to set up the account with ${this.url}`)
  }
}

async function newKey(): Promise<KeyObject> {
  const { privateKey } = await newKeyPair('ec', { namedCurve: 'P-256' })
  return privateKey
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' })
}
