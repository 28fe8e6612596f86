import type { Logger } from '../core/logger.ts'
import type { Threads } from '../core/threads.ts'

/** A logger that discards everything. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, isLevelEnabled: () => false }

/** Threads that never answer. */
export const noThreads: Threads = { askAll: () => Promise.resolve([]), askMain: () => Promise.resolve([]) }
