import type { DnsServer } from './dns-server.ts'
import type { Result } from './results.ts'
import type { Behaviour } from './service/behaviour.ts'
import type { ServiceInstance } from './service/instance.ts'

/** Seconds of a drill: all of them, and from when to when what it is about lasts. */
export interface Span {
  readonly total: number
  readonly from: number
  readonly to: number
}

/** What a drill can lay hands on. */
export interface Stage {
  readonly instances: readonly ServiceInstance[]
  /** Where the instances are reached by a name. */
  readonly dns: DnsServer | null
}

/** Something that goes wrong with a service while requests come. */
export interface Drill {
  readonly name: string
  /** What happens, as the heading of its table. */
  readonly title: string
  /** What Sallyport is to reach, in words. */
  readonly goal: string
  /** The whole one, and that of --short. */
  readonly span: Span
  readonly short: Span
  /** Seconds of load before that do not count: code is compiled while it runs. */
  readonly warmUp: number
  /** Requests a second. */
  readonly gets: number
  readonly posts: number
  /** How long clients wait, in milliseconds, and how often they send a request anew that failed. */
  readonly patience: number
  readonly clientRetries: number
  readonly instances: number
  readonly behaviour: Behaviour
  /** Whether the instances are reached by a name, which at first leads to the first half of them. */
  readonly isNamed: boolean
  begin(stage: Stage): void | Promise<void>
  end(stage: Stage): void | Promise<void>
  /** The figure that the goal is about. */
  figure(result: Result): string
  /** Whether the goal is reached; `healthy` is the result of the drill of that name, if it was run. */
  isMet(result: Result, healthy: Result | undefined): boolean
}

/** The load that most drills have: three instances, 150 GETs and 15 POSTs a second, clients that wait five seconds. */
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

/** A whole number, thousands separated. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-GB')
}

/** How many failed, and when all was well again after the trouble. */
export function backAfter(result: Result): string {
  const { recovery } = result
  return `${usual.figure(result)}, ${recovery === null ? 'never well again' : `well after ${recovery} s`}`
}

/** Whether at most so large a part of the GETs failed, and no POST was sent twice. */
export function atMost(part: number, { gets, posts }: Result): boolean {
  return gets.failed <= gets.sent * part && posts.twice === 0
}
