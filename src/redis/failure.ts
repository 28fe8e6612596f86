import { withoutCommand } from './logged-error.ts'

/** Why Redis did not do what it was asked. */
export interface Failure {
  /** In a word: the code of Redis (`OOM`), of the system (`ECONNREFUSED`), "timeout" or "connection lost". */
  readonly cause: string
  /** For the log. */
  readonly error: unknown
  /** Nothing can be had from the server as it is; else it does answer, and refuses only what it was asked. */
  readonly isGeneral: boolean
}

/**
 * Replies that say that the server is not to be used: it lets nobody in, is not there yet, or is not the master. All
 * others (OOM, NOPERM, MISCONF, WRONGTYPE, ERR …) are about what was asked.
 */
const GENERAL = new Set([
  'NOAUTH',
  'WRONGPASS',
  'LOADING',
  'READONLY',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'UNKILLABLE',
])

/** An error reply begins with its code; in what Redis 6 says of a script it stands behind the line. */
const REPLY_CODE = /^(?:ERR Error running script.*?: -)?([A-Z]{2,})\b/
/** Codes within the text of an error of the client library, such as that of the last Sentinel that it asked. */
const CODE_WITHIN = /\b(E[A-Z]{4,}|WRONGPASS|NOAUTH|NOPERM|LOADING|READONLY|CLUSTERDOWN)\b/

/** What an error of the client library means; `last` is what its connection failed of, where that is known. */
export function failureOf(error: unknown, last: Failure | null = null): Failure {
  if (!(error instanceof Error)) return { cause: 'unknown', error, isGeneral: true }
  const shown = withoutCommand(error)
  if (error.name === 'ReplyError') {
    const cause = REPLY_CODE.exec(error.message)?.[1] ?? 'ERR'
    return { cause, error: shown, isGeneral: GENERAL.has(cause) }
  }
  const within: unknown = 'lastNodeError' in error ? error.lastNodeError : null
  if (within instanceof Error) return { ...failureOf(within, last), isGeneral: true }
  const code: unknown = 'code' in error ? error.code : CODE_WITHIN.exec(error.message)?.[1]
  if (typeof code === 'string') return { cause: code, error: shown, isGeneral: true }
  // Such as "Stream isn't writeable": that the connection is not there is known, and why is said elsewhere.
  return last ?? { cause: 'connection lost', error: shown, isGeneral: true }
}

/** No answer within so many milliseconds. */
export function tooLate(timeout: number): Failure {
  return { cause: 'timeout', error: new Error(`no answer within ${timeout} ms`), isGeneral: true }
}
