import { threadId } from 'node:worker_threads'
import { BoundedMap } from '../../../core/bounded-map.ts'
import { type Clock, pause } from '../../../core/clock.ts'
import { defineTopic, type Threads, type TopicHandlers } from '../../../core/threads.ts'

/** Number of refreshes that are remembered, at up to 4 kB each. */
const REMEMBERED = 2000
/** How long a thread is told to wait before it asks again, in milliseconds: less than the time limit for answers of the main thread. */
const WAIT = 1000
/** Milliseconds for which a refresh is waited for after it should have ended. */
const GRACE = 10_000

/** The result of a refresh: the new cookie of the session, or why there is none. */
export type Refreshed = { readonly cookie: string } | { readonly failure: 'refused' | 'unavailable' }

/** Refreshes a session, known by the digest of its cookie, unless another thread does or has done so: then the result is that one's. */
export type InTurn = (session: string, refresh: () => Promise<Refreshed>) => Promise<Refreshed>

/** Whose turn it is: that of the thread that asks, or of another one, whose result may be known. */
type Turn = 'yours' | 'pending' | Refreshed

interface Claim {
  readonly session: string
  /** How long the refresh may take, in milliseconds. */
  readonly longest: number
  /** ID of the thread that asks. */
  readonly thread: number
}

const takeTurn = defineTopic<Claim, Turn>('oidc-refresh-turn')

/** The refresh of a session has ended. */
const endTurn = defineTopic<{ readonly session: string; readonly result: Refreshed }, null>('oidc-refresh-ended')

interface Attempt {
  /** ID of the thread whose turn it is. */
  readonly thread: number
  /** From when on it is no longer waited for, in monotonic milliseconds: its thread is stuck. */
  readonly abandoned: number
  readonly ended: PromiseWithResolvers<Turn>
  result: Refreshed | null
}

/** Whose turn it is to refresh which session. */
export interface Turns {
  /** The thread with that ID has ended: its turns are those of the next threads that ask. */
  threadEnded(thread: number): void
}

/**
 * Lets one thread at a time refresh a session. Only for the main thread. Many providers accept a refresh token once, and end all sessions of
 * a user if it is used again; browsers send several requests at a time, which different threads receive.
 */
export function giveTurns(answers: TopicHandlers, clock: Clock): Turns {
  const attempts = new BoundedMap<string, Attempt>(REMEMBERED)
  answers.on(takeTurn, ({ session, longest, thread }) => {
    const attempt = attempts.get(session)
    if (attempt === undefined || (attempt.result === null && clock.now() > attempt.abandoned)) {
      const abandoned = clock.now() + longest + GRACE
      attempts.set(session, { thread, abandoned, ended: Promise.withResolvers(), result: null })
      return 'yours'
    }
    return attempt.result ?? Promise.race([attempt.ended.promise, pause(WAIT, clock).then(() => 'pending' as const)])
  })
  answers.on(endTurn, ({ session, result }) => {
    const attempt = attempts.get(session)
    if (attempt === undefined) return null
    attempt.result = result
    attempt.ended.resolve(result)
    // Requests with the old cookie may arrive for as long as it is valid; after a failure each thread decides when to try again.
    if ('failure' in result) attempts.delete(session)
    return null
  })
  return {
    threadEnded(thread) {
      for (const [session, attempt] of attempts) {
        if (attempt.thread !== thread || attempt.result !== null) continue
        attempts.delete(session)
        // Those who wait ask again.
        attempt.ended.resolve('pending')
      }
    },
  }
}

/** Takes turns with the other threads; a refresh takes at most `longest` ms. A thread whose question is not answered goes ahead. */
export function takeTurns(threads: Threads, longest: number, thread = threadId): InTurn {
  return async (session, refresh) => {
    let turn: Turn = 'pending'
    while (turn === 'pending') [turn = 'yours'] = await threads.askMain(takeTurn, { session, longest, thread })
    if (turn !== 'yours') return turn
    const result = await refresh()
    void threads.askMain(endTurn, { session, result })
    return result
  }
}
