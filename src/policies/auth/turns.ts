import { clientNetwork } from '../../core/client-network.ts'
import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import { type Holder, Shared } from '../../core/shared.ts'
import type { Exchange } from '../../http/exchange.ts'

/** Returns how many more refusals the client of the exchange may get, at least one; throws if it may get none. */
export type RefusalsLeft = (exchange: Exchange) => number

/** The longest wait for a turn, in milliseconds. */
const LONGEST = 10_000

/** A request that waits. */
interface Waiting {
  readonly exchange: Exchange
  readonly left: RefusalsLeft
  begin(): void
  fail(error: unknown): void
  /** It no longer waits. */
  leave(): void
}

/** The requests of one client whose replies are not known yet. */
interface Line {
  running: number
  readonly waiting: Set<Waiting>
}

/** By the limit on refusals. */
const all = new Shared<Turns>()

/**
 * Lets in only as many requests of a client at a time as it may still get refusals, so that requests sent all at once get no more of them
 * than others; further ones wait for the replies, for ten seconds at most. For one thread.
 */
export class Turns {
  /** Address or network -> its requests. */
  private readonly lines = new Map<string, Line>()
  private readonly clock: Clock

  /** The turns of all requests under that limit. */
  static of(holder: Holder, limit: string, clock: Clock): Turns {
    return all.get(holder, limit, () => new Turns(clock))
  }

  constructor(clock: Clock) {
    this.clock = clock
  }

  /**
   * Begins a request, now (null) or when it is its turn; `end` has to follow. Throws, or rejects with, the error of `left`, or GatewayError
   * 'client-closed' for a client that does not wait, or 'too-busy' after ten seconds.
   */
  begin(exchange: Exchange, left: RefusalsLeft): Promise<void> | null {
    const most = left(exchange)
    const name = clientNetwork(exchange.client.address)
    const line = this.lines.get(name)
    if (line === undefined) {
      this.lines.set(name, { running: 1, waiting: new Set() })
      return null
    }
    if (line.waiting.size > 0 || line.running >= most) return inLine(line, exchange, left, this.clock)
    line.running++
    return null
  }

  /** The reply to a request that has begun is known, and counted. */
  end({ client }: Exchange): void {
    const name = clientNetwork(client.address)
    const line = this.lines.get(name)
    if (line === undefined) return
    line.running--
    for (const next of line.waiting) if (!letIn(line, next)) return
    if (line.running === 0) this.lines.delete(name)
  }
}

function inLine(line: Line, exchange: Exchange, left: RefusalsLeft, clock: Clock): Promise<void> {
  return new Promise((begin, fail) => {
    const giveUp = (error: GatewayError): void => {
      waiting.leave()
      fail(error)
    }
    const cancel = clock.after(LONGEST, () => giveUp(tooBusy()))
    const leave = (): void => {
      cancel()
      exchange.waiter = null
      line.waiting.delete(waiting)
    }
    const waiting: Waiting = { exchange, left, begin, fail, leave }
    line.waiting.add(waiting)
    exchange.waiter = { abort: () => giveUp(new GatewayError('client-closed')) }
  })
}

function tooBusy(): GatewayError {
  return new GatewayError('too-busy', 'Earlier requests from this address have no reply yet. Try again in a second.', {
    headers: [['Retry-After', '1']],
  })
}

/** False if it has to wait longer. */
function letIn(line: Line, next: Waiting): boolean {
  const { exchange } = next
  try {
    if (line.running >= next.left(exchange)) return false
    line.running++
    next.begin()
  } catch (error) {
    next.fail(error)
  }
  next.leave()
  return true
}
