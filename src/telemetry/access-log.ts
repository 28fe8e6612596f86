import type { Clock } from '../core/clock.ts'
import type { Exchange } from '../core/exchange.ts'
import type { LogOutput } from './logger.ts'
import { redactQuery } from './redact.ts'
import { createTimestamp } from './timestamp.ts'

/** Writes the line of an exchange that is over: its status, octets of the body that were sent, and monotonic ms. */
export type AccessLog = (exchange: Exchange, status: number, bytes: number, end: number) => void

/** Characters of a URL and of any other text that are logged, so that a line stays below what a pipe takes in one piece. */
const URL_LENGTH = 1024
const TEXT_LENGTH = 256

/** A character that JSON must escape, or that might not be ASCII. */
const UNUSUAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/**
 * One line for each exchange, of level 'error' for a status of 500 and above and of level 'info' otherwise. Values of
 * query parameters that look like secrets are redacted.
 *
 * The line is put together by hand: that takes less than half of pino's time, at one line for every request.
 */
export function createAccessLog(output: LogOutput, clock: Clock): AccessLog {
  const { log } = output
  const timestamp = createTimestamp(clock)
  return (exchange, status, bytes, end) => {
    const failed = status >= 500
    // Asked each time: the level may change while the gateway runs.
    if (!log.isLevelEnabled(failed ? 'error' : 'info')) return
    const { route } = exchange
    output.write(
      `{"level":"${failed ? 'error' : 'info'}","timestamp":"${timestamp()}","method":${text(exchange.method)},` +
        `"url":${text(exchange.path + redactQuery(exchange.query), URL_LENGTH)},"status_code":${status},` +
        `"duration_ms":${Math.round((end - exchange.start) * 1000) / 1000},` +
        `"user_id":${text(exchange.consumer?.id)},"correlation_id":${text(exchange.correlationId)},` +
        `"user_agent":${text(exchange.headers.get('User-Agent'))},"ip_address":${text(exchange.client.address)},` +
        `"route":${text(route.id)},"service":${text(route.service)},"instance":${text(exchange.instance)},` +
        `"bytes":${bytes},"message":"API Gateway Request"}\n`,
    )
  }
}

/** As a JSON string, cut at `limit` characters; control characters that JSON would let through are escaped as well. */
function text(value: string | null | undefined, limit = TEXT_LENGTH): string {
  if (value === null || value === undefined) return 'null'
  const kept = value.length > limit ? value.slice(0, limit) : value
  if (!UNUSUAL.test(kept)) return `"${kept}"`
  return JSON.stringify(kept).replace(/[\x7f-\x9f\u2028\u2029]/g, escape)
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
