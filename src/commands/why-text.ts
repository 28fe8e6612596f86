import { alignColumns } from '../config/columns.ts'
import { printable } from '../core/printable.ts'
import type { Color, Paint } from '../telemetry/paint.ts'
import { eventWords } from './event-text.ts'
import type { WhyAnswer } from './why-answer.ts'

type Request = WhyAnswer['requests'][number]

/** Why requests ended as they did, in human-readable form: newest first. */
export function whyText({ requests }: WhyAnswer, paint: Paint): string {
  return requests.map((request) => requestText(request, paint)).join('\n')
}

/** The text if no worker remembers any. */
export function nothingText(id: string, { workers }: Pick<WhyAnswer, 'workers'>): string {
  const lines = [`No worker remembers a request with the correlation ID ${printable(id)}.`]
  if (workers.length === 0) lines.push('No worker answered.')
  for (const { worker, remembered, capacity, since } of workers)
    lines.push(
      capacity === 0
        ? `Worker ${worker} remembers no requests: admin.requests is 0.`
        : `Worker ${worker} remembers ${remembered} of ${capacity}${since === null ? '' : `, back to ${since}`}.`,
    )
  lines.push(
    'Older requests are forgotten (admin.requests), as are those of a worker that was replaced. The access log may still have the request,',
    'unless log.access.sample left it out.',
  )
  return `${lines.join('\n')}\n`
}

function requestText(request: Request, paint: Paint): string {
  const { time, durationMs, method, path, query, status, client, consumer, traceId } = request
  const color: Color = status >= 500 ? 'red' : status >= 400 ? 'yellow' : status >= 300 ? 'cyan' : 'green'
  const who = consumer === null ? '' : `, by ${consumer}`
  return [
    `${paint(color, String(status))} ${paint('bold', printable(`${method} ${path}${query}`))}`,
    paint('dim', printable(`${time}, ${durationMs} ms, from ${client}${who}, trace ${traceId}`)),
    '',
    `  ${paint(color, printable(request.cause))}`,
    '',
    ...wayLines(request, paint),
    ...triedLines(request, paint),
  ]
    .join('\n')
    .concat('\n')
}

/** The route, the decisions, and where the time was spent. */
function wayLines(
  { route, service, events, fields, serviceMs, clientMs, sendingMs, gatewayMs, error, detail }: Request,
  paint: Paint,
) {
  const decisions = (events ?? []).map(({ name, attributes }): [string, string] => [
    name.replace(/^sallyport\./, '').replaceAll('_', '-'),
    eventWords(name, attributes),
  ])
  const rows: [string, string][] = [
    ['route', route ?? 'none'],
    ['service', service ?? 'none'],
    ...decisions,
    // The policy idempotency writes its decision to the log, too.
    ...Object.entries(fields).filter(([name, text]) => !decisions.some(([by, words]) => by === name && words === text)),
    ...(error === null ? [] : [['error', detail === null ? error : `${error}: ${detail}`] satisfies [string, string]]),
    [
      'time',
      `services ${serviceMs} ms, client ${clientMs} ms, gateway ${gatewayMs} ms${sendingMs === 0 ? '' : `, sending ${sendingMs} ms`}`,
    ],
  ]
  const lines = columns(rows.map((row) => row.map(printable)))
  if (events === null)
    lines.push(
      `  ${paint('dim', 'The decisions of policies were not recorded: this requires log.access.timings or a sampled trace.')}`,
    )
  return lines
}

function triedLines({ attempts, retried, tried }: Request, paint: Paint): string[] {
  if (tried.length === 0) return []
  const again = retried === null ? '' : `, retried because of ${retried}`
  const rows = tried.map(({ instance, phase, reason, status, tookMs, error }) => [
    instance,
    reason === null ? String(status ?? '') : `${reason}${phase === null || phase === reason ? '' : ` at ${phase}`}`,
    tookMs === null ? '' : `${tookMs} ms`,
    error ?? '',
  ])
  return [
    '',
    `  ${paint('cyan', 'attempts')} ${paint('dim', printable(`${attempts}${again}`))}`,
    ...columns(rows.map((row) => row.map(printable))),
  ]
}

function columns(rows: readonly (readonly string[])[]): string[] {
  return alignColumns(rows)
    .split('\n')
    .map((line) => `  ${line}`)
}
