import type { Clock } from '../core/clock.ts'
import type { Answers } from '../core/threads.ts'
import { laterSeed, newSeed, PERIOD, periodOf, type TicketSeed, ticketSeedTopic } from '../tls/ticket-seed.ts'

/** What the keys of session tickets are made of where the configuration has no secrets: at random, for all threads. */
export class TicketSeeds {
  private readonly clock: Clock
  /** That of the last period, so that a thread that begins opens what others have sealed in it. */
  private seed: TicketSeed
  private stopMoving = (): void => {}

  constructor(clock: Clock, answers: Answers) {
    this.clock = clock
    this.seed = newSeed([], this.lastPeriod)
    answers.on(ticketSeedTopic, () => this.move())
  }

  /** Forgets from now on what is older, also where nobody asks. */
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
