import type { Format } from './exposition.ts'

const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * The format that a client prefers according to its Accept header (RFC 9110 section 12.5.1); the Prometheus format if there is no
 * preference.
 */
export function negotiateFormat(accept: string | undefined): Format {
  if (accept === undefined) return 'prometheus'
  const ranges = accept.split(',').map(parseRange)
  return weightOf('application/openmetrics-text', ['1.0.0', '0.0.1'], ranges) >
    weightOf('text/plain', ['0.0.4'], ranges)
    ? 'openmetrics'
    : 'prometheus'
}

interface Range {
  readonly type: string
  readonly version: string | null
  readonly weight: number
}

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const values = new Map(
    parameters.map((parameter) => {
      const [name = '', value = ''] = parameter.split('=').map((part) => part.trim())
      return [name, value.replaceAll('"', '')]
    }),
  )
  const weight = values.get('q') ?? '1'
  return { type, version: values.get('version') ?? null, weight: QVALUE.test(weight) ? Number(weight) : 0 }
}

/** Among the ranges that match, the most specific one counts. */
function weightOf(type: string, versions: readonly string[], ranges: readonly Range[]): number {
  const main = `${type.slice(0, type.indexOf('/'))}/*`
  for (const name of [type, main, '*/*']) {
    const fitting = ranges.filter(
      (range) => range.type === name && (range.version === null || versions.includes(range.version)),
    )
    if (fitting.length > 0) return Math.max(...fitting.map(({ weight }) => weight))
  }
  return 0
}
