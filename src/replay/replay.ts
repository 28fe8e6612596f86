import type { GatewayConfig } from '../config/schema.ts'
import type { Policy } from '../policies/policy.ts'
import { changeText } from './change-text.ts'
import { InOrder } from './in-order.ts'
import { Judge, type Verdict } from './judge.ts'
import { LogClock } from './log-clock.ts'
import { type LoggedRequest, readLine } from './logged-request.ts'
import { logLines } from './log-lines.ts'
import { type Report, Tally } from './report.ts'
import { EqualityCache } from './equality-cache.ts'
import { Side } from './side.ts'

/** The number of requests that are sorted at a time: some seconds of a busy log. */
const IN_ORDER = 4096

/** A configuration and the policies that it may name, in chain order. */
export interface Configured {
  readonly config: GatewayConfig
  readonly chain: readonly Policy[]
}

export interface ReplayOptions {
  /** The access log; "-" is the standard input. */
  readonly log: string
  /** The configuration that answered the requests; null if unknown. */
  readonly before: Configured | null
  readonly after: Configured
  /** The share of clients, from 0 to 1, whose requests are examined: all requests of each, because limits count all of them. */
  readonly sample: number
}

/**
 * Determines what another configuration would do with the requests of an access log: with its router and its policies, in memory, using the
 * time of the log. Rejects with PolicyError, and with the system's error if a log cannot be read.
 */
export async function replay({ log, before, after, sample }: ReplayOptions): Promise<Report> {
  const clock = new LogClock()
  const same = new EqualityCache()
  const sides = {
    before: before === null ? null : await Side.build(before.config, before.chain, clock, same),
    after: await Side.build(after.config, after.chain, clock, same),
  }
  const judge = new Judge(sides.before, sides.after, same)
  const routes = new Set(after.config.routes.map(({ id }) => id))
  const tally = new Tally()
  const ordered = new InOrder(IN_ORDER)

  async function answer(request: LoggedRequest): Promise<void> {
    clock.reach(request.start)
    count(request, await judge.judge(request))
  }

  function count(request: LoggedRequest, verdict: Verdict): void {
    if (verdict.kind === 'same') return tally.unchanged()
    if (verdict.kind === 'undecided') return tally.cannotTell(request, verdict.reasons)
    tally.change(request, changeText(verdict.before, verdict.after, routes), verdict.after)
  }

  let line = 0
  for await (const lines of logLines(log))
    for (const text of lines) {
      line++
      if (text === '' || text === '\r') continue
      const read = readLine(text, line)
      if ('problem' in read) tally.unreadable(line, read.problem, text)
      else if ('other' in read) tally.other()
      else if (isChosen(read.request, sample)) {
        tally.seen(read.request)
        const next = ordered.put(read.request)
        if (next !== null) await answer(next)
      }
    }
  for (let next = ordered.take(); next !== null; next = ordered.take()) await answer(next)
  return tally.report()
}

/** Chosen by caller, or else by address. */
function isChosen({ user, key, address }: LoggedRequest, sample: number): boolean {
  if (sample >= 1) return true
  // FNV-1a, with an extra step that mixes the last bits.
  let hash = 0x811c9dc5
  for (const character of key ?? user ?? address) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash >>> 0) / 2 ** 32 < sample
}
