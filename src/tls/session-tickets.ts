import { present } from '../core/present.ts'
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:tls'
import { methodOf, secureContextOf } from '../core/node-internals.ts'
import { derive, laterSeed, periodOf, type TicketSeed } from './ticket-seed.ts'

/** The keys of one period: how tickets under them are named, signed and encrypted (RFC 5077 section 4). */
interface TicketKeys {
  readonly name: Uint8Array
  readonly hmac: Uint8Array
  readonly aes: Uint8Array
}

/** Keys that are in use now. */
interface KeysNow {
  readonly period: number
  readonly current: TicketKeys
  /** Those of the last period, of the next one for a clock that is ahead, and of previous secrets. */
  readonly others: readonly TicketKeys[]
}

/** What OpenSSL is told of the keys of a ticket: unknown; good; good, and another ticket is to take its place. */
const [UNKNOWN, GOOD, RENEW] = [0, 1, 2]

/**
 * Seals and opens tickets, by which clients resume sessions at any thread, and at any gateway with the same secrets. Keys change
 * every hour; those of the last hour still open.
 */
export class SessionTickets {
  private seed: TicketSeed
  private before: TicketSeed
  /** How often there was another one. */
  private changes = 0
  private readonly wall: () => number

  /** `seed` is that of the last period or an earlier one; `wall` says the time in wall-clock milliseconds. */
  constructor(seed: TicketSeed, wall: () => number) {
    this.seed = seed
    this.before = seed
    this.wall = wall
  }

  /** Seals with keys of another seed from now on; what was sealed with the one before, only that one can have opened. */
  use(seed: TicketSeed): void {
    this.seed = seed
    this.before = seed
    this.changes += 1
  }

  /**
   * Has a server that was just made use them. Tickets of one `scope` are of no use in another. Node has no documented way to
   * have two keys at a time, but one that is found in 26.10.0: where it has none at all, the server keeps those that Node made for it.
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
 * As Node hands it to OpenSSL: what the ticket is, keys, name, and an initialisation vector for a new one. Node ends the process
 * where one of them is missing, whether it is of use or not.
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
  const octets = derive(root, use, 64)
  return { name: octets.subarray(0, 16), hmac: octets.subarray(16, 48), aes: octets.subarray(48) }
}
