import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { ACCESS_MESSAGE } from '../telemetry/access-text.ts'
import { paintFor } from '../telemetry/paint.ts'
import { textLine } from '../telemetry/text-lines.ts'
import { addAdminOptions, type AdminOptions, requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples, UsageError } from './command.ts'
import { type RecentRequest, requestSchema } from './recent-request.ts'

/** The timeout of the request to the gateway, in milliseconds. */
const TIMEOUT = 10_000

/** The polling interval while requests are followed, in milliseconds. */
const INTERVAL = 500

/** The maximum number that the admin listener returns at once. */
const MAX = 1000

/** The number of finished requests to show first. */
const SHOWN = '20'

const answerSchema = z.object({ requests: requestSchema.array() })

interface Options extends AdminOptions {
  readonly follow?: true
  readonly json?: true
  readonly route?: string
  readonly status?: string
  readonly service?: string
  readonly last: string
}

/** `sallyport requests`: shows the requests that a running gateway has answered last, and follows new ones. */
export function defineRequests(command: Command): void {
  command
    .description('Shows recent requests of a running gateway, from all its workers, newest last.')
    .option('-f, --follow', 'follow new requests until Control-C')
    .option('--route <id>', 'of this route only')
    .option('--status <status>', 'only with this status, such as 404, or class, such as 5xx')
    .option('--service <name>', 'only for this service')
    .option('--last <number>', `number of past requests, 0 to ${MAX}`, SHOWN)
    .option('--json', 'print each as one line of JSON, as from GET /requests of the admin API')
  addAdminOptions(command).action(showRequests)
  addExamples(command, [
    ['sallyport requests', 'the most recent requests'],
    ['sallyport requests --follow --status 5xx', 'failing requests, as they happen'],
    ['sallyport requests --follow --last 0 --route books --json', 'new requests of one route, as JSON'],
  ])
}

async function showRequests(options: Options): Promise<void> {
  const last = /^\d{1,4}$/.test(options.last) ? Number(options.last) : NaN
  if (!(last <= MAX))
    throw new UsageError(`--last: expected a number from 0 to ${MAX}, not ${JSON.stringify(options.last)}`)
  const show = options.json === true ? (request: RecentRequest) => `${JSON.stringify(request)}\n` : asText()
  let known = await ask(options)
  print(last === 0 ? [] : known.slice(-last), show)
  if (known.length === 0 && options.follow !== true && last > 0) console.error(whyNone(options))
  while (options.follow === true) {
    await pause(INTERVAL)
    const before = new Set(known.map(idOf))
    known = await ask(options)
    const fresh = known.filter((request) => !before.has(idOf(request)))
    if (before.size > 0 && fresh.length === known.length && known.length > 0)
      console.error('There were more requests than the gateway remembers (admin.requests); some are not shown.')
    print(fresh, show)
  }
}

function whyNone({ route, status, service }: Options): string {
  return (route ?? status ?? service) === undefined
    ? 'The gateway remembers no requests: none was answered since it started, or admin.requests is 0.'
    : 'None of the requests that the gateway remembers (admin.requests) matches.'
}

/** The requests that match the options, oldest first. */
async function ask(options: Options): Promise<RecentRequest[]> {
  const { route, status, service } = options
  const query = new URLSearchParams({ limit: String(MAX) })
  if (route !== undefined) query.set('route', route)
  if (status !== undefined) query.set('status', status)
  const reply = await requestAdmin(options, { method: 'GET', path: `/requests?${query.toString()}`, timeout: TIMEOUT })
  const { data } = answerSchema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  return data.requests.filter((request) => service === undefined || request.service === service).toReversed()
}

/** Identifies a request: a client may reuse its ids, and the time is not part of it because it is recomputed for each reply. */
function idOf({ durationMs, correlationId, traceId, path }: RecentRequest): string {
  return [durationMs, correlationId, traceId, path].join(' ')
}

function print(requests: readonly RecentRequest[], show: (request: RecentRequest) => string): void {
  if (requests.length > 0) process.stdout.write(requests.map(show).join(''))
}

/** The same text as in the log. */
function asText(): (request: RecentRequest) => string {
  const paint = paintFor(1, process.env)
  return ({ time, durationMs, path, query, status, consumer, correlationId, error, grpcStatus, ...rest }) => {
    const { method, route, service, instance } = rest
    const line = {
      level: status >= 500 ? 'error' : 'info',
      timestamp: time,
      method,
      url: `${path}${query}`,
      status_code: status,
      duration_ms: durationMs,
      user_id: consumer,
      correlation_id: correlationId,
      route,
      service,
      instance,
      code: error,
      grpc_status: grpcStatus,
      message: ACCESS_MESSAGE,
    }
    return textLine(JSON.stringify(line), paint)
  }
}
