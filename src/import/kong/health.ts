import { fieldOf, type Fields, isFields } from '../../core/value.ts'
import { isFieldValue, isToken } from '../../core/field.ts'
import { durationText, numberOf, textOf, textsOf } from '../read.ts'
import { hasVariable } from '../variables.ts'
import type { Entity } from './entities.ts'
import { isSecretName } from './secret-names.ts'

/** Headers that belong to the connection of a health check. */
const WIRE = /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i

/** The health checks of an upstream, as `health` and `passive` of a service. */
export function healthOf({ entry, fields }: Entity, scheme: string): Fields {
  const checks = fields['healthchecks']
  return {
    health: activeOf(fieldOf(checks, 'active'), scheme, entry),
    passive: passiveOf(fieldOf(checks, 'passive'), entry),
  }
}

function activeOf(active: unknown, scheme: string, entry: Entity['entry']): unknown {
  const healthy = fieldOf(active, 'healthy')
  const unhealthy = fieldOf(active, 'unhealthy')
  const intervals = [healthy, unhealthy].map((each) => numberOf(fieldOf(each, 'interval')) ?? 0)
  const interval = Math.max(...intervals)
  if (interval <= 0) return false
  const type = textOf(fieldOf(active, 'type')) ?? 'http'
  if (type === 'tcp' || type === 'grpc' || type === 'grpcs') {
    entry.tell(
      'different',
      `Health checks of type ${type} were left out: set health of the service to a path, or use health.grpc.`,
    )
    return false
  }
  if ((type === 'https') !== (scheme === 'https'))
    entry.tell('different', `Health checks use ${scheme} like requests, not ${type}.`)
  const failures = smallest(unhealthy, ['http_failures', 'tcp_failures', 'timeouts'])
  const successes = numberOf(fieldOf(healthy, 'successes')) ?? 0
  if (failures === null || successes < 1)
    entry.tell(
      'different',
      'Kong never marks targets as unhealthy, or as healthy again. Here one check is enough for that.',
    )
  const statuses = statusesOf(fieldOf(healthy, 'http_statuses'))
  return {
    path: checkPath(textOf(fieldOf(active, 'http_path')) ?? '/'),
    interval: durationText(interval * 1000),
    timeout: durationText((numberOf(fieldOf(active, 'timeout')) ?? 1) * 1000),
    unhealthyAfter: failures ?? 1,
    healthyAfter: Math.max(1, Math.round(successes)),
    status: statuses.length === 0 ? [200, 302] : statuses,
    ...headersOf(fieldOf(active, 'headers'), entry),
  }
}

function passiveOf(passive: unknown, entry: Entity['entry']): unknown {
  const failures = smallest(fieldOf(passive, 'unhealthy'), ['http_failures', 'tcp_failures', 'timeouts'])
  if (failures === null) return false
  entry.tell(
    'different',
    'An ejected instance comes back after 30s, and all kinds of failures share one count. See docs/resilience.md.',
  )
  return { consecutive: failures }
}

/** The smallest of the counts above 0; null if there are none. */
function smallest(counts: unknown, names: readonly string[]): number | null {
  const known = names.map((name) => Math.round(numberOf(fieldOf(counts, name)) ?? 0)).filter((count) => count > 0)
  return known.length === 0 ? null : Math.min(...known)
}

function statusesOf(value: unknown): number[] {
  const all = textsOf(value).map(Number)
  return [...new Set(all.filter((status) => Number.isInteger(status) && status >= 100 && status <= 599))]
}

function checkPath(path: string): string {
  return hasVariable(path) || /^\/[!-~]*$/.test(path) ? path : '/'
}

function headersOf(headers: unknown, entry: Entity['entry']): Fields {
  const known = Object.entries(isFields(headers) ? headers : {}).flatMap(([name, values]) => {
    const [value] = textsOf(values)
    if (value === undefined || !isToken(name) || !isFieldValue(value) || WIRE.test(name)) return []
    if (!isSecretName(name)) return [[name, value] as const]
    entry.tell(
      'different',
      `The header ${name} of health checks was left out, because it may hold a secret: add it to health.headers, with a variable.`,
    )
    return []
  })
  return known.length === 0 ? {} : { headers: Object.fromEntries(known) }
}
