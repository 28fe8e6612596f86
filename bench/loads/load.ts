import type { Command } from '../children.ts'

/** The request that a scenario repeats; the body is that many bytes of filler. */
export type Request = {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: number
}

/** The result of a load generator; latencies in microseconds, and every reason why the run must not count. */
export type LoadResult = {
  requests: number
  seconds: number
  p50: number
  p99: number
  failures: string[]
}

/** A load generator run: the command, and a parser for its output. */
export type Load = {
  command: Command
  read(output: string): LoadResult | Promise<LoadResult>
}

/** Where and how long a load runs. */
export type Target = {
  origin: string
  seconds: number
  dir: string
}

/** The counts that are not zero, with names, such as `3 read errors`. */
export function namedFailures(counts: Record<string, number>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
}
