/** The data of the event stream of the admin API. */

/** Requests in a window: total, with 4xx, with 5xx, seconds (0 in what was before the page was opened), and one number for each bucket up to the last one that is not empty. */
export type Tally = readonly number[]

/** What happened in one second. */
export interface Window {
  readonly at: number
  readonly seconds: number
  readonly routes: Readonly<Record<string, Tally>>
  readonly instances: Readonly<Record<string, Readonly<Record<string, Tally>>>>
  /** Requests by listener name. */
  readonly listeners: Readonly<Record<string, number>>
  readonly counters: Readonly<Record<string, number>>
}

/** The versions of the configuration and of the state of instances: if they change, the data has to be fetched again. */
export interface Versions {
  readonly generation: number
  readonly health: number
}

/** A number in each second: how many of the first seconds have zero, then the numbers of those after them; the others have zero too. */
export type Column = readonly number[]

/** The last minute. */
export interface History {
  readonly at: readonly number[]
  readonly seconds: readonly number[]
  /** The columns of a tally without its seconds; the first one has the requests that are in no bucket. */
  readonly routes: Readonly<Record<string, readonly Column[]>>
  readonly instances: Readonly<Record<string, Readonly<Record<string, readonly Column[]>>>>
  /** One column each. */
  readonly listeners: Readonly<Record<string, readonly Column[]>>
  readonly counters: Readonly<Record<string, readonly Column[]>>
}
