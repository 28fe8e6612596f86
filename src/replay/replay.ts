import type { GatewayConfig } from '../config/schema.ts'
import type { Policy } from '../policies/policy.ts'
import { changeText } from './change-text.ts'
import { InOrder } from './in-order.ts'
import { Judge, type Verdict } from './judge.ts'
import { LogClock } from './log-clock.ts'
import { type LoggedRequest, readLine } from './logged-request.ts'
import { logLines } from './log-lines.ts'
import { type Report, Tally } from './report.ts'
import { Sameness } from './same.ts'
import { Side } from './side.ts'

/** Requests that are put in order at a time: of some seconds of a busy log. */
const IN_ORDER = 4096

/** A configuration and the policies that it may name, in the order of the chain. */
export interface Configured {
  readonly config: GatewayConfig
  readonly chain: readonly Policy[]
}

export interface ReplayOptions {
  /** The access log; "-" is the standard input. */
  readonly log: string
  /** By which the requests were answered; null where that is not known. */
  readonly before: Configured | null
  readonly after: Configured
  /** The part of the clients, from 0 to 1, whose requests are looked at: of each all, as its limits count all. */
  readonly sample: number
}

/**
 * What would become of the requests of an access log by another configuration: with its router and its policies, in memory, with the
 * time of the log. Rejects with PolicyError, and with what the system says of a log that cannot be read.
 */
export async function replay({ log, before, after, sample }: ReplayOptions): Promise<Report> {
  const clock = new LogClock()
  const same = new Sameness()
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

/** By who called, or else from where. */
function isChosen({ user, key, address }: LoggedRequest, sample: number): boolean {
  if (sample >= 1) return true
  // FNV-1a, whose last bits are mixed once more.
  let hash = 0x811c9dc5
  for (const character of key ?? user ?? address) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash >>> 0) / 2 ** 32 < sample
}
