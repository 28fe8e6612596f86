import type { Command } from '../children.ts'

/** The one request that a scenario repeats; the body is so many bytes of filler. */
export type Request = {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: number
}

/** What a load generator saw; latencies in microseconds, and every reason for which the run must not count. */
export type LoadResult = {
  requests: number
  seconds: number
  p50: number
  p99: number
  failures: string[]
}

/** A load generator's run: the command, and how to read what it printed. */
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

/** Names the counts that are not zero, such as `3 read errors`. */
export function namedFailures(counts: Record<string, number>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
}
