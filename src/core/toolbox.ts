import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

/** What a component may use; handed to its `create`. */
export interface Toolbox {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Logger
}
