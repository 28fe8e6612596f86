import type { LoadedCode } from '../config/loaded-code.ts'
import type { OwnCode } from '../config/plan/side.ts'
import type { Problem } from '../config/problems.ts'
import type { Judged } from '../config/refusal.ts'
import type { Warning } from '../config/warnings.ts'
import { GatewayError } from '../core/errors.ts'
import type { Origin } from './origin.ts'

/** A valid configuration that may replace the running one. */
export interface Candidate extends Judged {
  /** Its custom policies, as of when it was read. */
  readonly code: readonly OwnCode[]
  /** The code they were loaded from, so that threads load the same. */
  readonly modules: LoadedCode
  /** Identifies the complete content: configurations with the same revision are identical. */
  readonly revision: string
  /** Oddities that do not prevent its use. */
  readonly warnings: readonly Warning[]
}

/** A running configuration. */
export interface Applied extends Candidate {
  readonly origin: Origin
  /** Number of the configuration within this process, starting at 1. */
  readonly generation: number
  /** Start time, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly since: number
  /** The last change of its text that left the meaning as it was, for example of comments; null if there was none. */
  readonly rewritten: Rewritten | null
}

/** A change of the text alone: when, in milliseconds since 1970-01-01T00:00:00Z, and why. */
export interface Rewritten {
  readonly at: number
  readonly origin: Origin
}

/** Result of a reload. */
export type Outcome =
  | { readonly outcome: 'applied' | 'unchanged'; readonly applied: Applied }
  /** The running configuration stays. */
  | {
      readonly outcome: 'refused'
      readonly applied: Applied
      readonly problems: readonly Problem[]
      /** All problems combined. */
      readonly error: Error
    }

/** Options for a reload. */
export interface Reload {
  /** Default: nobody asked for it. */
  readonly origin?: Origin
  /** Accept it even if the file looks incomplete. Default false. */
  readonly force?: boolean
  /** If it returns to a previously applied configuration, the texts that can be restored from then on. */
  readonly back?: readonly Earlier[]
  /** If it returns to a previously applied configuration, the last change of its text alone. Default: it is this one, if the text differs. */
  readonly rewritten?: Rewritten | null
  /** What it replaces: if something else is running when its turn comes, that stays. Default whatever is running. */
  readonly instead?: Applied
  /** Whether it reads what the gateway itself has just written: that this is the running configuration is not news. Default false. */
  readonly own?: boolean
}

/** A previously applied text. */
export interface Earlier {
  readonly text: string
  readonly revision: string
  readonly generation: number
  readonly since: number
  readonly origin: Origin
  readonly rewritten: Rewritten | null
}

/** A completed reload. */
export interface PastReload {
  readonly outcome: Outcome['outcome'] | 'rolled_back'
  /** When it was completed, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number
  /** Why the configuration was rejected; empty if it was not. */
  readonly problems: readonly Problem[]
}

/** Status of the configurations of a process. */
export interface Reloads {
  /** The running configuration. */
  readonly applied: Applied
  /** Previously applied configurations that can be restored, newest first. */
  readonly earlier: readonly Earlier[]
  /** The last completed reload, or the start if the file could not be used then; null before there was one. */
  readonly lastReload: PastReload | null
  /** Whether the last attempt put the configuration that was read into effect. */
  readonly lastSuccessful: boolean
  /** Why the most recently discovered instances are not in use; null if they are. */
  readonly instancesProblem: string | null
}

/** Maximum number of texts that can be restored. */
const EARLIER = 5

/** What a rollback returns to. Throws GatewayError 'conflict' if there is nothing. */
export function lastOf({ earlier }: Pick<Reloads, 'earlier'>): Earlier {
  const [last] = earlier
  if (last !== undefined) return last
  throw new GatewayError('conflict', 'There is no previous configuration in this process: send one with PUT /config.')
}

/** The texts that can be restored once `next` is running: includes that of the configuration before it if it differs. */
export function earlierAfter(texts: readonly Earlier[], left: Applied, next: string | null): readonly Earlier[] {
  const { text, revision, generation, since, origin, rewritten } = left
  if (text === null || text === next) return texts
  return [{ text, revision, generation, since, origin, rewritten }, ...texts].slice(0, EARLIER)
}
