import type { Clock } from '../core/clock.ts'
import { type Exchange, gatewayTime } from '../core/exchange.ts'
import type { LogLevel } from '../core/logger.ts'
import type { ExchangeRecord } from '../core/record.ts'
import type { LogOutput } from './logger.ts'
import { redactQuery } from './redact.ts'
import { isAmong } from './sampler.ts'
import { createTimestamp } from './timestamp.ts'

/** Writes the line of an exchange that is over: its status, octets of the body that were sent, and monotonic ms. */
export type AccessLog = (exchange: Exchange, status: number, bytes: number, end: number) => void

/** Characters of a URL and of any other text that are logged, so that a line stays below what a pipe takes in one piece. */
const URL_LENGTH = 1024
const TEXT_LENGTH = 256

/** A character that JSON must escape, or that might not be ASCII. */
const UNUSUAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

export interface AccessLogOptions {
  /** Part of the requests that is logged, from 0 to 1, chosen by the trace id: all lines of a trace, or none. */
  readonly sample: number
  /** Requests that take so many milliseconds are always logged, and of level 'warn'. */
  readonly slow?: number | undefined
  /** Whether lines say where the time went, as far as the exchange has a record of it. */
  readonly timings: boolean
  /** Ids of the routes that are left out. */
  readonly silent: ReadonlySet<string>
}

/**
 * One line for each exchange, of level 'error' for a status of 500 and above and of level 'info' otherwise. Values of
 * query parameters that look like secrets are redacted.
 *
 * The line is put together by hand: that takes less than half of pino's time, at one line for every request.
 */
export function createAccessLog(output: LogOutput, clock: Clock, options: AccessLogOptions): AccessLog {
  const { log } = output
  const { sample, slow = Number.POSITIVE_INFINITY, timings, silent } = options
  const timestamp = createTimestamp(clock)
  return (exchange, status, bytes, end) => {
    const { route, record, trace } = exchange
    const duration = end - exchange.start
    const level = levelOf(status, duration, slow)
    // Asked each time: the level may change while the gateway runs.
    if (!log.isLevelEnabled(level) || (silent.size > 0 && silent.has(route.id))) return
    if (level === 'info' && !isAmong(trace.traceId, sample)) return
    output.write(
      `{"level":"${level}","timestamp":"${timestamp()}","method":${text(exchange.method)},` +
        `"url":${text(exchange.path + redactQuery(exchange.query), URL_LENGTH)},"status_code":${status},` +
        `"duration_ms":${rounded(duration)},` +
        `"user_id":${text(exchange.consumer?.id)},"correlation_id":${text(exchange.correlationId)},` +
        `"trace_id":${text(trace.traceId || null)},` +
        `"user_agent":${text(exchange.headers.get('User-Agent'))},"ip_address":${text(exchange.client.address)},` +
        `"route":${text(route.id)},"service":${text(route.service)},"instance":${text(exchange.instance)},` +
        `"code":${text(exchange.error?.code)},"bytes":${bytes},` +
        `${timings && record !== null ? timingsOf(exchange, record, end) : ''}"message":"API Gateway Request"}\n`,
    )
  }
}

/** A tunnel is open for as long as both sides like. */
function levelOf(status: number, duration: number, slow: number): LogLevel {
  if (status >= 500) return 'error'
  return duration >= slow && status !== 101 ? 'warn' : 'info'
}

function timingsOf(exchange: Exchange, { attempts, policies }: ExchangeRecord, end: number): string {
  const each = Array.from(policies, ([name, spent]) => `${text(name)}:${rounded(spent)}`)
  return (
    `"service_ms":${rounded(exchange.serviceTime)},"gateway_ms":${rounded(gatewayTime(exchange, end))},` +
    `"attempts":${attempts.length},"policies_ms":{${each.join(',')}},`
  )
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
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
