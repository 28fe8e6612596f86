import type { Clock } from '../core/clock.ts'
import type { TopicHandlers } from '../core/threads.ts'
import { laterSeed, newSeed, PERIOD, periodOf, type TicketSeed, ticketSeedTopic } from '../tls/ticket-seed.ts'

/** The seed of session ticket keys if the configuration has no secrets: random, and shared by all threads. */
export class TicketSeeds {
  private readonly clock: Clock
  /** The seed of the previous period, so that a new thread can decrypt tickets that others issued in it. */
  private seed: TicketSeed
  private stopMoving = (): void => {}

  constructor(clock: Clock, answers: TopicHandlers) {
    this.clock = clock
    this.seed = newSeed([], this.lastPeriod)
    answers.on(ticketSeedTopic, () => this.move())
  }

  /** Starts discarding older seeds on time, even if no thread asks for them. */
  start(): void {
    this.stopMoving = this.clock.every(PERIOD, () => void this.move())
  }

  stop(): void {
    this.stopMoving()
  }

  private get lastPeriod(): number {
    return periodOf(this.clock.wall()) - 1
  }

  private move(): TicketSeed {
    this.seed = laterSeed(this.seed, this.lastPeriod)
    return this.seed
  }
}
