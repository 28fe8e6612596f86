import { BoundedMap } from './bounded-map.ts'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import { defineTopic, type Threads, type TopicHandlers } from './threads.ts'

/** How long, in milliseconds, everything has to work again before an outage is over. */
const STEADY = 10_000
/** How often a thread repeats a report, in milliseconds: often enough that an outage is not over between two of them. */
const REPEAT = 5000
/** Number of outages that are followed at a time. */
const FOLLOWED = 1000

/** Something that all threads use and that may stop working, and what to log about it. */
export interface Outage {
  readonly fields: Readonly<Record<string, string>>
  readonly begins: string
  readonly ends: string
  /** Whether each thread reports failures again and again until something works, so that it is over once they stop. */
  readonly isProbed?: boolean
}

/** Something has failed in a thread. The answer is whether this begins an outage. */
const failedTopic = defineTopic<Outage, boolean>('outage-failed')

/** Something has worked in a thread; `decisions` is how many the thread made without it, if these are counted. */
const workedTopic = defineTopic<{ readonly outage: Outage; readonly decisions?: number }, null>('outage-worked')

interface Ongoing {
  /** When something failed last, in monotonic milliseconds. */
  failedAt: number
  /** Cancels its end; null if nothing has worked since. */
  cancelEnd: (() => void) | null
  /** Those made without it, in all threads; undefined if they are not counted. */
  decisions: number | undefined
}

/**
 * Follows the outages of all threads and logs their ends; one in which some things still work, in turns, is a single one. Only for the main
 * thread.
 */
export function followOutages(answers: TopicHandlers, clock: Clock, log: Logger): void {
  const outages = new BoundedMap<string, Ongoing>(FOLLOWED)
  answers.on(failedTopic, (outage) => {
    const key = JSON.stringify(outage)
    const now = clock.now()
    const known = outages.get(key)
    known?.cancelEnd?.()
    // A thread that is gone, or a connection that a reload has closed, cannot report the end.
    const isForgotten = known !== undefined && outage.isProbed === true && now - known.failedAt >= STEADY
    const ongoing = isForgotten ? undefined : known
    outages.set(key, { failedAt: now, cancelEnd: null, decisions: ongoing?.decisions })
    return ongoing === undefined
  })
  answers.on(workedTopic, ({ outage, decisions }) => {
    const key = JSON.stringify(outage)
    const ongoing = outages.get(key)
    if (ongoing === undefined) return null
    if (decisions !== undefined) ongoing.decisions = (ongoing.decisions ?? 0) + decisions
    if (ongoing.cancelEnd !== null) return null
    const end = (): void => {
      outages.delete(key)
      const { decisions: all } = ongoing
      log.info({ ...outage.fields, ...(all !== undefined && { decisions: all }) }, outage.ends)
    }
    const rest = ongoing.failedAt + STEADY - clock.now()
    if (rest <= 0) end()
    else ongoing.cancelEnd = clock.after(rest, end)
    return null
  })
}

/** What an OutageLog needs. */
export interface OutageTools {
  readonly clock: Clock
  readonly log: Logger
  readonly threads: Threads
}

/** Logs an outage once per process: this thread reports to the main thread, and logs the error of the failure that begins an outage. */
export class OutageLog {
  private readonly outage: Outage
  private readonly tools: OutageTools
  private reported: 'failed' | 'worked' | null = null
  /** Monotonic milliseconds. */
  private reportedAt = -Infinity

  constructor(outage: Outage, tools: OutageTools) {
    this.outage = outage
    this.tools = tools
  }

  /** `details` are logged beside the error. */
  failed(error: unknown, details: Readonly<Record<string, string>> = {}): void {
    if (!this.isNews('failed')) return
    const { outage, tools } = this
    // Without an answer it is logged too often rather than not at all.
    void tools.threads.askMain(failedTopic, outage).then(([begins = true]) => {
      if (begins) tools.log.warn({ ...outage.fields, ...details, error }, outage.begins)
    })
  }

  /** `decisions` is how many this thread made without it. */
  worked(decisions?: number): void {
    const { outage } = this
    if (!this.isNews('worked')) return
    void this.tools.threads.askMain(workedTopic, { outage, ...(decisions !== undefined && { decisions }) })
  }

  private isNews(report: 'failed' | 'worked'): boolean {
    const now = this.tools.clock.now()
    if (report === this.reported && now - this.reportedAt < REPEAT) return false
    this.reported = report
    this.reportedAt = now
    return true
  }
}
