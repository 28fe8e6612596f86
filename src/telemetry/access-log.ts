import type { Clock } from '../core/clock.ts'
import { flatString } from '../core/flat-string.ts'
import type { ErrorCode } from '../core/errors.ts'
import { type Consumer, type EndedExchange, gatewayTime, type RouteInfo } from '../http/exchange.ts'
import type { LogLevel } from '../core/logger.ts'
import type { ExchangeRecord } from '../http/record.ts'
import { ACCESS_MESSAGE } from './access-text.ts'
import type { LogOutput } from './logger.ts'
import { callStatus, statusInHttp } from './call-status.ts'
import { redactQuery } from './redact.ts'
import { isLogged } from './sampler.ts'
import { createTimestamp } from './timestamp.ts'

/** Writes the line of a finished exchange: its status, the bytes of the body that were sent, and the end in monotonic milliseconds. */
export type AccessLog = (exchange: EndedExchange, status: number, bytes: number, end: number) => void

/**
 * Maximum number of characters of a URL, and of any other text, to log, so that a line stays below the size that a pipe takes in one piece.
 */
const URL_LENGTH = 1024
const TEXT_LENGTH = 256

/** A character that JSON must escape, or that might not be ASCII. */
const UNUSUAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** The text between the URL and the duration, for every status. */
const STATUSES: readonly string[] = Array.from({ length: 1000 }, (_, status) =>
  flatString(`","status_code":${status},"duration_ms":`),
)

/** "", ".001" to ".999", without trailing zeros. */
const FRACTIONS: readonly string[] = Array.from({ length: 1000 }, (_, thousandth) => String(thousandth / 1000).slice(1))

export interface AccessLogOptions {
  /** Share of the requests to log, from 0 to 1, chosen by trace id: all lines of a trace, or none. */
  readonly sample: number
  /** Selects the share: the same key in all threads, and unknown to clients. */
  readonly sampleKey: string
  /** Requests that take at least this many milliseconds are always logged, at level 'warn'. */
  readonly slow?: number | undefined
  /** Whether lines break down the duration, as far as the exchange recorded it. */
  readonly timings: boolean
  /** Whether lines include the caller's tier and number of roles, and the listener. */
  readonly replay: boolean
}

/**
 * One line for each exchange, at level 'error' for a status of 500 or above or its gRPC equivalent, otherwise at level 'info'. Values of
 * query parameters that look like secrets are redacted.
 *
 * The line is concatenated by hand from a few long texts. That takes a fraction of pino's time, which matters with one line per request:
 * each piece that a line is made of costs more than the characters in it.
 */
export function createAccessLog(output: LogOutput, clock: Clock, options: AccessLogOptions): AccessLog {
  const { log } = output
  const { sample, sampleKey, slow = Number.POSITIVE_INFINITY, timings, replay } = options
  const beginning = createBeginning(clock)
  const destination = createDestination()
  const origin = createOrigin()
  return (exchange, status, bytes, end) => {
    const { route, record, trace, instance, consumer, error, logFields } = exchange
    const duration = end - exchange.start
    const { grpc } = exchange
    const level = levelOf(grpc === null ? status : statusInHttp(exchange, status), duration, slow)
    // Checked each time, because the level may change while the gateway runs.
    if (!log.isLevelEnabled(level) || route.logged === false) return
    if (level === 'info' && !isLogged(trace.traceId, sample, sampleKey)) return
    output.write(
      `${beginning(level)}${escaped(exchange.method)}","url":"${origin(exchange)}${escaped(exchange.path + redactQuery(exchange.query), URL_LENGTH)}` +
        `${STATUSES[status]}${thousandths(duration)}` +
        `,"user_id":${consumer === null ? 'null' : quoted(consumer.id)}${keyOf(consumer)},"correlation_id":"${escaped(exchange.correlationId)}` +
        `${trace.traceId === '' ? '","trace_id":null' : `","trace_id":"${trace.traceId}"`},"user_agent":${quoted(exchange.headers.get('User-Agent'))}` +
        `,"ip_address":"${escaped(exchange.client.address)}${destination(route, instance)}` +
        `${error === null ? 'null' : codeOf(error.code)},"bytes":${bytes}` +
        (grpc === null ? '' : `,"grpc_status":${quoted(callStatus(exchange))}`) +
        (exchange.attempts > 1 ? `,"attempts":${exchange.attempts},"retried":${quoted(exchange.retried)}` : '') +
        exchange.noted +
        (replay ? identityOf(exchange) : '') +
        (logFields === null ? '' : membersOf(logFields)) +
        `${record !== null && (timings || output.isForPeople()) ? cacheOf(record) : ''}${timings && record !== null ? timingsOf(exchange, record, end) : ''},"message":"${ACCESS_MESSAGE}"}\n`,
    )
  }
}

/** Makes the start of a line, up to the method, once for each level and millisecond. */
function createBeginning(clock: Clock): (level: LogLevel) => string {
  const timestamp = createTimestamp(clock)
  let last = ''
  const known = new Map<LogLevel, string>()
  return (level) => {
    const time = timestamp()
    if (time !== last) known.clear()
    last = time
    let made = known.get(level)
    if (made === undefined)
      known.set(level, (made = flatString(`{"level":"${level}","timestamp":"${time}","method":"`)))
    return made
  }
}

/** Makes the scheme and host of a URL, which are usually the same as for the previous request; empty if no host was named. */
function createOrigin(): (exchange: EndedExchange) => string {
  let [scheme, host, made] = ['', '', '']
  return (exchange) => {
    if (exchange.host === host && exchange.client.scheme === scheme) return made
    ;({ host } = exchange)
    ;({ scheme } = exchange.client)
    made = host === '' ? '' : flatString(escaped(`${scheme}://${host}`))
    return made
  }
}

/** Makes the text between the client's address and the code, once for each route and instance. */
function createDestination(): (route: RouteInfo, instance: string | null) => string {
  const routes = new WeakMap<RouteInfo, Map<string | null, string>>()
  return (route, instance) => {
    const known = routes.get(route) ?? new Map<string | null, string>()
    let made = known.get(instance)
    if (made === undefined) {
      const { id, service } = route
      made = flatString(`","route":${quoted(id)},"service":${quoted(service)},"instance":${quoted(instance)},"code":`)
      routes.set(route, known.set(instance, made))
    }
    return made
  }
}

/** Why a request was shed, by the error code of its reply. */
const SHED: ReadonlyMap<string, string> = new Map<ErrorCode, string>([
  ['service-overloaded', 'concurrency'],
  ['gateway-overloaded', 'overload'],
])

/** The code, and why the request was shed, if it was. */
function codeOf(code: string): string {
  const shed = SHED.get(code)
  return shed === undefined ? quoted(code) : `${quoted(code)},"shed":"${shed}"`
}

/** The id of the API key, because one owner may have several; empty if there is none. */
function keyOf(consumer: Consumer | null): string {
  return consumer === null || consumer.key === null ? '' : `,"api_key":${quoted(consumer.key)}`
}

/** What else affects decisions about requests and is logged nowhere else. */
function identityOf({ consumer, listener }: EndedExchange): string {
  const who = consumer === null ? '' : `,"tier":${quoted(consumer.tier)},"roles":${consumer.roles.length}`
  return `${who},"listener":${quoted(listener)}`
}

/** What the gateway's cache did: "hit", or why the request was forwarded (RFC 9211 section 2); empty if the cache was not consulted. */
function cacheOf({ events }: ExchangeRecord): string {
  const status = events.findLast(({ name }) => name === 'sallyport.cache')?.attributes['sallyport.cache.status']
  const [, hit, reason] = /^[^;]*;\s*(?:(hit)\b|fwd=([a-z-]+))/.exec(String(status)) ?? []
  const result = hit ?? reason
  return result === undefined ? '' : `,"cache":"${result}"`
}

/** Names are those of policies and need no escaping. */
function membersOf(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `,"${name}":${quoted(value)}`)
    .join('')
}

/** A tunnel stays open for as long as both sides want, so it is never slow. */
function levelOf(status: number, duration: number, slow: number): LogLevel {
  if (status >= 500) return 'error'
  return duration >= slow && status !== 101 ? 'warn' : 'info'
}

function timingsOf(exchange: EndedExchange, { attempts, policies }: ExchangeRecord, end: number): string {
  const each = Array.from(policies, ([name, spent]) => `${quoted(name)}:${thousandths(spent)}`)
  return (
    `,"service_ms":${thousandths(exchange.serviceTime)},"gateway_ms":${thousandths(gatewayTime(exchange, end))}` +
    `${exchange.attempts > 1 ? '' : `,"attempts":${attempts.length}`},"policies_ms":{${each.join(',')}}`
  )
}

/** Milliseconds with up to three decimals. */
function thousandths(milliseconds: number): string {
  const all = Math.round(milliseconds * 1000)
  const whole = Math.floor(all / 1000)
  return `${whole}${FRACTIONS[all - whole * 1000]}`
}

/** As a JSON string, or null. */
function quoted(value: string | null | undefined): string {
  return value === null || value === undefined ? 'null' : `"${escaped(value)}"`
}

/**
 * The text between the quotes of a JSON string, cut at `limit` characters; control characters that JSON would allow are escaped as well.
 */
function escaped(value: string, limit = TEXT_LENGTH): string {
  const shortened = value.length > limit ? value.slice(0, limit) : value
  if (!UNUSUAL.test(shortened)) return shortened
  return JSON.stringify(shortened)
    .slice(1, -1)
    .replace(/[\x7f-\x9f\u2028\u2029]/g, escape)
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
