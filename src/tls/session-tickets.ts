import { present } from '../core/present.ts'
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:tls'
import { methodOf, secureContextOf } from '../core/node-internals.ts'
import { derive, laterSeed, periodOf, type TicketSeed } from './ticket-seed.ts'

/** The ticket keys of one period: name, signing key and encryption key (RFC 5077 section 4). */
interface TicketKeys {
  readonly name: Uint8Array
  readonly hmac: Uint8Array
  readonly aes: Uint8Array
}

/** The keys currently in use. */
interface KeysNow {
  readonly period: number
  readonly current: TicketKeys
  /** Keys of the previous period, of the next one (for clocks that are ahead), and of previous secrets. */
  readonly others: readonly TicketKeys[]
}

/** Results for OpenSSL: key unknown; valid; valid, and the ticket should be reissued. */
const [UNKNOWN, GOOD, RENEW] = [0, 1, 2]

/**
 * Encrypts and decrypts session tickets, with which clients can resume sessions in any thread, and on any gateway with the same secrets.
 * Keys change every hour; those of the previous hour still decrypt.
 */
export class SessionTickets {
  private seed: TicketSeed
  private before: TicketSeed
  /** Number of seed changes. */
  private changes = 0
  private readonly wall: () => number

  /** `seed` is of the previous period or an earlier one; `wall` returns wall-clock milliseconds. */
  constructor(seed: TicketSeed, wall: () => number) {
    this.seed = seed
    this.before = seed
    this.wall = wall
  }

  /** Uses keys from another seed; tickets encrypted with the previous seed can no longer be decrypted. */
  use(seed: TicketSeed): void {
    this.seed = seed
    this.before = seed
    this.changes += 1
  }

  /**
   * Makes a newly created server use these keys. Tickets of one `scope` are invalid in another. Node has no documented way to use two keys
   * at a time, only an internal one found in 26.10.0: without it, the server keeps the keys that Node created for it.
   */
  attach(server: Server, scope: string): void {
    const context = secureContextOf(server)
    const enable = context === null ? null : methodOf(context, 'enableTicketKeyCallback')
    if (context === null || enable === null) return
    let keys: KeysNow | null = null
    let changes = this.changes
    const keysNow = (): KeysNow => {
      const period = periodOf(this.wall())
      if (keys?.period === period && changes === this.changes) return keys
      changes = this.changes
      keys = this.keysOf(period, scope)
      return keys
    }
    Reflect.set(context, 'onticketkeycallback', (name: Uint8Array, _iv: Uint8Array, sealing: boolean) =>
      answer(keysNow(), name, sealing),
    )
    enable()
  }

  private keysOf(period: number, scope: string): KeysNow {
    this.move(period)
    const at = (seed: TicketSeed, of: number): TicketKeys[] =>
      seed.roots.map((root) => keysOfRoot(root, `${of} ${scope}`))
    const [current, ...previous] = at(this.seed, period)
    return {
      period,
      current: present(current, 'root of session tickets'),
      others: [...previous, ...at(this.before, period - 1), ...at(laterSeed(this.seed, period + 1), period + 1)],
    }
  }

  private move(period: number): void {
    if (this.seed.period === null || this.seed.period >= period) return
    this.before = laterSeed(this.seed, period - 1)
    this.seed = laterSeed(this.before, period)
  }
}

/**
 * In the form that Node passes to OpenSSL: result code, keys, name, and an initialization vector for a new ticket. Node crashes if one of
 * them is missing, even if it is not needed.
 */
function answer({ current, others }: KeysNow, name: Uint8Array, sealing: boolean): unknown[] {
  if (sealing) return all(GOOD, current, randomBytes(16))
  const isOf = (keys: TicketKeys): boolean => Buffer.compare(keys.name, name) === 0
  if (isOf(current)) return all(GOOD, current, NO_VECTOR)
  const other = others.find((keys) => isOf(keys))
  return other === undefined ? all(UNKNOWN, current, NO_VECTOR) : all(RENEW, other, NO_VECTOR)
}

function all(outcome: number, { hmac, aes, name }: TicketKeys, vector: Uint8Array): unknown[] {
  return [outcome, hmac, aes, name, vector]
}

const NO_VECTOR = new Uint8Array(16)

function keysOfRoot(root: Uint8Array, use: string): TicketKeys {
  const bytes = derive(root, use, 64)
  return { name: bytes.subarray(0, 16), hmac: bytes.subarray(16, 48), aes: bytes.subarray(48) }
}
