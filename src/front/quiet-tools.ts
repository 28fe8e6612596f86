import type { Logger } from '../core/logger.ts'
import type { Threads } from '../core/threads.ts'

/** A log that nobody reads. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false }

/** No thread is asked anything. */
export const nobody: Threads = { askAll: () => Promise.resolve([]), askMain: () => Promise.resolve([]) }
