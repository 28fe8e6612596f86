import { z } from 'zod'
import { systemClock, type Clock } from '../core/clock.ts'
import type { LogLevel } from '../core/logger.ts'
import { createLineLogger, type LogOutput } from './logger.ts'

/** A log for tests that keeps its lines, parsed. */
export interface MemoryLog extends LogOutput {
  readonly lines: readonly Readonly<Record<string, unknown>>[]
}

const fields = z.record(z.string(), z.unknown())

/** A log for tests with the same members as the real one, in memory. Throws a SyntaxError for a line that is not JSON. */
export function createMemoryLogger(level: LogLevel = 'debug', clock: Clock = systemClock): MemoryLog {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => {
    lines.push(fields.parse(JSON.parse(line)))
  }
  const log = createLineLogger(level, clock, write)
  return {
    log,
    write,
    setLevel: (next) => (log.level = next),
    setFormat() {},
    isForPeople: () => false,
    reopen() {},
    watchLost() {},
    close: () => Promise.resolve(),
    lines,
  }
}
