import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'

/** The dependencies available to a component; passed to its `create`. */
export interface Toolbox {
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Logger
}
