import type { DnsServer } from './dns-server.ts'
import type { Result } from './results.ts'
import type { Behavior } from './service/behavior.ts'
import type { ServiceInstance } from './service/instance.ts'

/** The seconds of a drill: the total, and the start and end of the trouble. */
export interface Span {
  readonly total: number
  readonly from: number
  readonly to: number
}

/** What a drill can control. */
export interface Stage {
  readonly instances: readonly ServiceInstance[]
  /** Set if the instances are reached by a DNS name. */
  readonly dns: DnsServer | null
}

/** A failure of a service while requests arrive. */
export interface Drill {
  readonly name: string
  /** What happens, as the heading of its table. */
  readonly title: string
  /** The goal for Sallyport, in words. */
  readonly goal: string
  /** The full duration, and that of --short. */
  readonly span: Span
  readonly short: Span
  /** Seconds of load that do not count at the start, while code is being compiled. */
  readonly warmUp: number
  /** Requests per second. */
  readonly gets: number
  readonly posts: number
  /** How long clients wait, in milliseconds, and how often they retry a failed request. */
  readonly patience: number
  readonly clientRetries: number
  readonly instances: number
  readonly behavior: Behavior
  /** Whether the instances are reached by a DNS name, which initially resolves to the first half of them. */
  readonly isNamed: boolean
  begin(stage: Stage): void | Promise<void>
  end(stage: Stage): void | Promise<void>
  /** The figure that the goal is about. */
  figure(result: Result): string
  /** Whether the goal is reached; `healthy` is the result of the drill of that name, if it was run. */
  isMet(result: Result, healthy: Result | undefined): boolean
}

/** The load of most drills: three instances, 150 GETs and 15 POSTs per second, clients that wait five seconds. */
export const usual = {
  span: { total: 50, from: 10, to: 40 },
  short: { total: 20, from: 4, to: 16 },
  warmUp: 3,
  gets: 150,
  posts: 15,
  patience: 5000,
  clientRetries: 0,
  instances: 3,
  isNamed: false,
  figure: ({ gets }: Result): string => `${whole(gets.failed)} of ${whole(gets.sent)}`,
} as const

/** A whole number with thousands separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}

/** The number of failures, and the time until recovery. */
export function backAfter(result: Result): string {
  const { recovery } = result
  return `${usual.figure(result)}, ${recovery === null ? 'never recovered' : `recovered after ${recovery} s`}`
}

/** Whether at most that fraction of the GETs failed, and no POST was sent twice. */
export function atMost(part: number, { gets, posts }: Result): boolean {
  return gets.failed <= gets.sent * part && posts.twice === 0
}
