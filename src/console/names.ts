import type { Tone } from './parts/marks.ts'
import type { Instance, Route, Service } from './answers.ts'

/** Links to single things. */
export const links = {
  route: (id: string): string => `/console/routes/${encodeURIComponent(id)}`,
  service: (name: string): string => `/console/services/${encodeURIComponent(name)}`,
  requests: (query: Readonly<Record<string, string>>): string => `/console/requests?${new URLSearchParams(query)}`,
  request: (correlationId: string): string => `/console/requests/${encodeURIComponent(correlationId)}`,
}

/** The state of an instance in one word, and its severity. */
export function instanceState({
  drained,
  ejected,
  health,
  weight,
  usable,
}: Instance): readonly [word: string, tone: Tone] {
  if (drained) return ['drained', 'notice']
  if (ejected !== null) return ['ejected', 'warning']
  if (health.state === 'unhealthy') return ['unhealthy', 'critical']
  if (health.state === 'pending') return ['first check pending', 'notice']
  if (weight === 0) return ['weight 0', 'notice']
  if (health.state === 'unknown') return ['not yet checked', 'plain']
  return usable ? ['healthy', 'good'] : ['not in use', 'warning']
}

export const serviceTones: Readonly<Record<Service['status'], Tone>> = {
  healthy: 'good',
  degraded: 'warning',
  unhealthy: 'critical',
}

/** The severity of a status. */
export function statusTone(status: number): Tone {
  if (status >= 500) return 'critical'
  if (status >= 400) return 'warning'
  return status >= 300 ? 'notice' : 'good'
}

/** The target of a route, in words. */
export function destinationOf({ service, split, replyStatus }: Route): string {
  if (service !== null) return service
  if (split !== null)
    return Object.entries(split)
      .map(([name, weight]) => `${name} ${weight}`)
      .join(' · ')
  return replyStatus === null ? 'files' : `reply ${replyStatus}`
}

/** The services that a route forwards to. */
export function servicesOf({ service, split }: Route): string[] {
  if (service !== null) return [service]
  return split === null ? [] : Object.keys(split)
}

/** The match of a route, in words. */
export function matchWords({ match }: Route): string {
  const paths = match.path.length === 0 ? (match.pathRegex ?? 'any path') : match.path.join(', ')
  return [match.method.join(', '), `${match.host.join(', ')}${match.host.length > 0 ? ' ' : ''}${paths}`]
    .filter((part) => part !== '')
    .join(' ')
}
