import { alignColumns } from '../config/columns.ts'
import { printable } from '../core/printable.ts'
import type { Explanation, ShownCandidate, ShownField, ShownPolicy } from '../front/explain/explanation.ts'
import type { Color, Paint } from '../telemetry/paint.ts'
import { eventWords } from './event-text.ts'

/** Maximum number of candidates, and of headers, that are printed; the JSON has all of them. */
const CANDIDATES = 12

/** An explanation in human-readable form: the request, one section for each step, and the outcome. */
export function explanationText(explanation: Explanation, paint: Paint): string {
  const sections = [
    head(explanation, paint),
    section('path', pathLines(explanation, paint), paint),
    section('routes', routeLines(explanation, paint), paint),
    section('policies', policyLines(explanation, paint), paint),
    section('service', serviceLines(explanation, paint), paint),
    section(explanation.outcome === 'sent' ? 'sent' : 'reply', outcomeLines(explanation, paint), paint),
    ...explanation.notes.map((note) => `${paint('dim', `note: ${printable(note)}`)}\n`),
  ]
  return sections.filter((text) => text !== '').join('\n')
}

function head({ method, scheme, host, path, from, listener, consumer, worker }: Explanation, paint: Paint): string {
  const url = printable(`${scheme}://${host}${path.written}`)
  const who = consumer === null ? 'anonymous' : `${consumer.id} (${[consumer.tier, ...consumer.roles].join(', ')})`
  const onWorker = worker === null ? '' : `, worker ${worker}`
  const about = printable(`from ${from}, by ${listener}${onWorker}; consumer: ${who}`)
  return `${paint('bold', `${printable(method)} ${url}`)}\n${paint('dim', about)}\n`
}

function section(name: string, lines: readonly string[], paint: Paint): string {
  if (lines.length === 0) return ''
  return `${paint('cyan', name)}\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`
}

function pathLines({ path, params }: Explanation, paint: Paint): string[] {
  if (path.refused !== null)
    return [`${paint('red', '✗')} ${printable(path.written)}  ${paint('red', printable(path.refused))}`]
  const { written, normal } = path
  const lines = [
    normal === null || normal === written ? printable(written) : `${printable(written)} → ${printable(normal)}`,
  ]
  const named = Object.entries(params).map(([name, value]) => `${name} = ${value}`)
  return named.length === 0 ? lines : [...lines, paint('dim', printable(named.join(', ')))]
}

function routeLines({ routes, route, path }: Explanation, paint: Paint): string[] {
  const { candidates, more, others } = routes
  // Nothing is tried after the selected one, but it is useful to know what would have been.
  const lines = rows(
    candidates.slice(0, CANDIDATES).map((candidate) => {
      const { mark, color } = candidateMark(candidate)
      const { route: id, pattern, host, lacks, selected } = candidate
      const why = selected ? '' : lacks.length > 0 ? lacks.join('; ') : 'another route takes precedence'
      return [mark, color, [id, `${host ?? ''}${pattern}`, why]]
    }),
    paint,
  )
  const hidden = Math.max(0, candidates.length - CANDIDATES) + more
  if (hidden > 0) lines.push(paint('dim', `and ${hidden} more`))
  if (route === null && path.refused === null) lines.push(paint('red', '✗ no route matches'))
  if (others > 0) lines.push(paint('dim', `${others} for other paths`))
  return lines
}

function candidateMark({ selected, lacks }: ShownCandidate): { mark: string; color: Color } {
  if (selected) return { mark: '✓', color: 'green' }
  return lacks.length > 0 ? { mark: '✗', color: 'red' } : { mark: '·', color: 'dim' }
}

const MARKS: Readonly<Record<ShownPolicy['verdict'], readonly [mark: string, color: Color]>> = {
  passed: ['✓', 'green'],
  answered: ['●', 'cyan'],
  refused: ['✗', 'red'],
  'not-reached': ['·', 'dim'],
  'not-run': ['?', 'yellow'],
  off: ['-', 'dim'],
}

function policyLines({ policies }: Explanation, paint: Paint): string[] {
  return rows(
    policies.map((policy) => {
      const { name, verdict, origin, ofRoute } = policy
      const [mark, color] = MARKS[verdict]
      const from = ofRoute.length === 0 ? origin : `${origin} (${ofRoute.join(', ')})`
      return [mark, color, [name, from, verdictWords(policy)]]
    }),
    paint,
  )
}

/** First its decision, then what it recorded, then what it changed. */
function verdictWords({ verdict, status, code, detail, events, request, reply }: ShownPolicy): string {
  if (verdict === 'not-reached') return 'not reached'
  if (verdict === 'not-run') return 'not run'
  if (verdict === 'off') return 'turned off by the route'
  const words: string[] = []
  if (verdict === 'refused') words.push(`${status} ${code}${detail === null ? '' : `: ${detail}`}`)
  if (verdict === 'answered') words.push(`answered with ${status}`)
  for (const { name, attributes } of events) {
    const { [`${name}.outcome`]: outcome, ...more } = attributes
    // The error code says the same.
    const isSaid = verdict === 'refused' && typeof outcome === 'string' && code?.endsWith(outcome) === true
    words.push(eventWords(name, isSaid ? more : attributes))
  }
  if (verdict === 'passed') words.push(...changeWords('request', request), ...changeWords('reply', reply))
  return words.filter((text) => text !== '').join('; ')
}

function changeWords(what: string, { set, removed }: ShownPolicy['request']): string[] {
  const words: string[] = []
  if (set.length > 0) words.push(`${what}: sets ${set.join(', ')}`)
  if (removed.length > 0) words.push(`${what}: removes ${removed.join(', ')}`)
  return words
}

function serviceLines({ service, leads, route }: Explanation, paint: Paint): string[] {
  if (route === null) return []
  const lines = leads.map((lead) => printable(lead))
  if (service === null) return lines
  const { name, balancer, limit, instances } = service
  const most = limit === null ? '' : `, at most ${limit} requests at a time`
  lines.push(`${paint('bold', printable(name))} ${paint('dim', printable(`${balancer}${most}`))}`)
  if (instances.length === 0) lines.push(paint('red', '✗ it has no instances'))
  return [
    ...lines,
    ...rows(
      instances.map(({ address, weight, inFlight, state, unusable, slowStart, next }) => {
        const mark = next ? '→' : unusable === null ? ' ' : '✗'
        const color = next ? 'green' : unusable === null ? 'dim' : 'red'
        const also = [
          unusable ?? state,
          `${inFlight} in flight`,
          ...(weight === 1 || weight === 0 ? [] : [`weight ${weight}`]),
          ...(slowStart ? ['slow start'] : []),
        ]
        return [mark, color, [address, also.join(', ')]]
      }),
      paint,
    ),
  ]
}

function outcomeLines({ outcome, sent, status, code, detail, reply, service }: Explanation, paint: Paint): string[] {
  if (outcome === 'sent' && sent !== null) {
    const line = `${sent.method} ${sent.target}`
    return [
      `${paint('bold', printable(line))} ${paint('dim', `to ${printable(service?.name ?? '')}`)}`,
      ...fieldLines([{ name: 'Host', value: sent.host }, ...sent.fields], paint),
      ...(reply.length === 0 ? [] : ['', paint('dim', 'the reply of the service gets'), ...fieldLines(reply, paint)]),
    ]
  }
  const color: Color = status === null || status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green'
  const why = [code, detail].filter((text) => text !== null).join(': ')
  return [`${paint(color, String(status))} ${printable(why)}`, ...fieldLines(reply, paint)]
}

function fieldLines(fields: readonly ShownField[], paint: Paint): string[] {
  return fields.map(({ name, value }) => `${paint('dim', `${printable(name)}:`)} ${printable(value)}`)
}

/** Cells in aligned columns, each row after its mark. */
function rows(
  all: readonly (readonly [mark: string, color: Color, cells: readonly string[]])[],
  paint: Paint,
): string[] {
  if (all.length === 0) return []
  const aligned = alignColumns(all.map(([, , cells]) => cells.map((cell) => printable(cell)))).split('\n')
  return all.map(([mark, color], i) => `${paint(color, mark)} ${aligned[i] ?? ''}`)
}
