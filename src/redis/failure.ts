import { withoutCommand } from './logged-error.ts'

/** Why a Redis command failed. */
export interface Failure {
  /** A short cause: the error code of Redis (`OOM`) or of the system (`ECONNREFUSED`), "timeout", "no such master" or "connection lost". */
  readonly cause: string
  /** The error to log. */
  readonly error: unknown
  /** True if the server is unusable as a whole; false if it replies and rejects only this command. */
  readonly isGeneral: boolean
}

/**
 * Error replies that mean the server as a whole is unusable: access denied, still loading, or not the master. All others (OOM, NOPERM,
 * MISCONF, WRONGTYPE, ERR …) concern only the command.
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

/** An error reply starts with its code; in Redis 6 script errors, the code follows the script line. */
const REPLY_CODE = /^(?:ERR Error running script.*?: -)?([A-Z]{2,})\b/
/** Codes within the text of a client library error, such as the error of the last Sentinel it asked. */
const CODE_WITHIN = /\b(E[A-Z]{4,}|WRONGPASS|NOAUTH|NOPERM|LOADING|READONLY|CLUSTERDOWN)\b/

/** What Sentinels say of a name that they do not know. */
const NO_MASTER = /No such master/

/** Classifies an error of the client library; `last` is why its connection failed, if known. */
export function failureOf(error: unknown, last: Failure | null = null): Failure {
  if (!(error instanceof Error)) return { cause: 'unknown', error, isGeneral: true }
  const shown = withoutCommand(error)
  if (error.name === 'ReplyError') {
    const cause = REPLY_CODE.exec(error.message)?.[1] ?? 'ERR'
    return { cause, error: shown, isGeneral: GENERAL.has(cause) }
  }
  const within: unknown = 'lastNodeError' in error ? error.lastNodeError : null
  if (within instanceof Error) return { ...failureOf(within, last), isGeneral: true }
  if (NO_MASTER.test(error.message)) return { cause: 'no such master', error: shown, isGeneral: true }
  const code: unknown = 'code' in error ? error.code : CODE_WITHIN.exec(error.message)?.[1]
  if (typeof code === 'string') return { cause: code, error: shown, isGeneral: true }
  // For example "Stream isn't writeable": says no more than that there is no connection; the reason is reported elsewhere.
  return last ?? { cause: 'connection lost', error: shown, isGeneral: true }
}

/** The failure for no reply within `timeout` milliseconds. */
export function tooLate(timeout: number): Failure {
  return { cause: 'timeout', error: new Error(`no answer within ${timeout} ms`), isGeneral: true }
}

/** What is said of a Cluster that can be reached, but does not become ready: the client library raises no error. */
export const CLUSTER_NOT_READY = 'the Cluster is not ready: its cluster_state is not ok'

/** The failure for such a Cluster. */
export function clusterNotReady(): Failure {
  return { cause: 'CLUSTERDOWN', error: new Error(CLUSTER_NOT_READY), isGeneral: true }
}
