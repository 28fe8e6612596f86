import type { Certificate, ConfigStatus, Route, Service, Status } from './answers.ts'
import type { Window } from './events.ts'
import { count, day, duration, plural, share, timeOfDay } from './format.ts'
import { counted, countedBy, type Outcomes, outcomesOf, secondsOf } from './rates.ts'

/** A problem, or something that the operator should know. */
export interface Finding {
  readonly level: 'critical' | 'warning' | 'notice'
  readonly title: string
  readonly detail: string
  /** The page of the console with details. */
  readonly href: string
}

/** The data to examine; null if it is not known yet. */
export interface Looked {
  readonly status: Status | null
  readonly services: readonly Service[] | null
  readonly routes: readonly Route[] | null
  readonly config: ConfigStatus | null
  readonly certificates: readonly Certificate[] | null
  readonly windows: readonly Window[]
  /** In milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: number
}

/** Number of requests per minute from which a failure rate is significant. */
const ENOUGH = 20
const NOTHING: Outcomes = { requests: 0, refused: 0, failed: 0 }
const DAY = 86_400_000

/** The current problems, most severe first. */
export function findWrong(looked: Looked): Finding[] {
  const order = { critical: 0, warning: 1, notice: 2 }
  const outcomes = outcomesOf(looked.windows)
  return [
    ...ofServices(looked),
    ...ofRoutes(looked, outcomes),
    ...ofRedis(looked),
    ...ofConfiguration(looked),
    ...ofCertificates(looked),
    ...ofLoad(looked),
    ...ofRefusals(looked, outcomes),
    ...ofProcess(looked),
  ].toSorted((a, b) => order[a.level] - order[b.level])
}

function ofServices({ services }: Looked): Finding[] {
  return (services ?? []).flatMap((service): Finding[] => {
    const href = `/console/services/${encodeURIComponent(service.name)}`
    const found: Finding[] = []
    const usable = service.instances.filter((instance) => instance.usable)
    if (usable.length === 0)
      found.push({
        level: 'critical',
        title: `${service.name} is unavailable`,
        detail:
          service.instances.length === 0
            ? 'It has no instances: requests get 503.'
            : service.instances.length === 1
              ? 'Its only instance is unavailable: requests get 503.'
              : `None of its ${count(service.instances.length)} instances is available: requests get 503.`,
        href,
      })
    for (const { address, health, ejected, drained } of service.instances) {
      if (health.state === 'unhealthy')
        found.push({
          level: 'warning',
          title: `${address} of ${service.name} is unhealthy`,
          detail: `Since ${timeOfDay(health.since)}: ${health.reason ?? 'the check fails'}; ${plural(health.failures, 'failed check')} in a row.`,
          href,
        })
      if (ejected !== null)
        found.push({
          level: 'warning',
          title: `${address} of ${service.name} is ejected`,
          detail: `${sentence(ejected.reason)}. It receives requests again at ${timeOfDay(ejected.until)} at the latest.`,
          href,
        })
      if (drained)
        found.push({
          level: 'notice',
          title: `${address} of ${service.name} is drained`,
          detail: 'An operator has drained it: it receives no new requests until it is undrained.',
          href,
        })
    }
    const problem = service.discovery?.problem ?? null
    if (problem !== null)
      found.push({
        level: 'warning',
        title: `The instances of ${service.name} cannot be looked up`,
        detail: `${sentence(problem)}. The last known instances stay in use.`,
        href,
      })
    return found
  })
}

function ofRoutes({ routes, windows }: Looked, outcomes: ReadonlyMap<string, Outcomes>): Finding[] {
  const seconds = secondsOf(windows)
  return (routes ?? []).flatMap(({ id }): Finding[] => {
    const { requests, failed: failures } = outcomes.get(id) ?? NOTHING
    const failed = failures / requests
    if (requests < ENOUGH || failed < 0.05) return []
    return [
      {
        level: failed >= 0.5 ? 'critical' : 'warning',
        title: `${share(failed)} of the requests of ${id} are failing`,
        detail: `${count(failures)} of ${count(requests)} in the last ${duration(seconds)} ended with 5xx.`,
        href: `/console/requests?route=${encodeURIComponent(id)}&status=5xx`,
      },
    ]
  })
}

function ofRedis({ status }: Looked): Finding[] {
  const workers = status?.workers ?? []
  const troubles = new Map<string, { cause: string; since: string; workers: number }>()
  for (const { redis } of workers)
    for (const { use, cause, since } of redis ?? []) {
      const known = troubles.get(use)
      troubles.set(use, { cause, since: known?.since ?? since, workers: (known?.workers ?? 0) + 1 })
    }
  return [...troubles].map(([use, { cause, since, workers: number }]) => ({
    level: 'critical',
    title: use === 'all' ? 'Redis is unavailable' : `Redis is unavailable for ${use}`,
    detail: `${cause} since ${timeOfDay(since)}, in ${number} of ${plural(workers.length, 'worker')}. Until it is back, this gateway counts on its own.`,
    href: '/console/configuration',
  }))
}

function ofConfiguration({ config, now }: Looked): Finding[] {
  if (config === null) return []
  const href = '/console/configuration'
  const found: Finding[] = []
  if (!config.current) {
    const [first] = config.lastReload?.problems ?? []
    const more = (config.lastReload?.problems.length ?? 0) - 1
    found.push({
      level: 'critical',
      title: 'The last configuration was refused',
      detail:
        `The gateway keeps the previous one. ${first === undefined ? '' : `${placeOf(first)}${first.message}`}` +
        (more > 0 ? ` (and ${more} more)` : ''),
      href,
    })
  }
  if (config.awaitsConfirmation !== null)
    found.push({
      level: 'warning',
      title: 'A change is waiting for confirmation',
      detail: `It is rolled back in ${duration((new Date(config.awaitsConfirmation.until).getTime() - now) / 1000)} unless confirmed.`,
      href,
    })
  const behind = config.workers.filter(({ generation }) => generation !== config.generation)
  if (behind.length > 0)
    found.push({
      level: 'warning',
      title: `${plural(behind.length, 'worker')} still ${behind.length === 1 ? 'uses' : 'use'} an older configuration`,
      detail: `Worker ${behind.map(({ worker }) => worker).join(', ')}; the current one is number ${config.generation}.`,
      href,
    })
  const [warning] = config.warnings
  if (warning !== undefined)
    found.push({
      level: 'notice',
      title: `The configuration has ${plural(config.warnings.length, 'warning')}`,
      detail: `${placeOf(warning)}${warning.message}${config.warnings.length > 1 ? ` (and ${config.warnings.length - 1} more)` : ''}`,
      href,
    })
  return found
}

/** The place of a problem, as a prefix of its message. */
function placeOf({ file, line, path }: { file: string | null; line: number | null; path: string }): string {
  const place = file === null ? '' : line === null ? file : `${file}:${line}`
  return [place, path]
    .filter((part) => part !== '')
    .map((part) => `${part}: `)
    .join('')
}

function ofCertificates({ certificates, now }: Looked): Finding[] {
  return (certificates ?? []).flatMap(({ names, notAfter, notBefore, source, lastOrderSuccessful }): Finding[] => {
    const [name = 'A certificate'] = names
    const href = '/console/certificates'
    if (notAfter === null || notBefore === null)
      return [
        {
          level: 'critical',
          title: `There is no certificate for ${name} yet`,
          detail: `${lastOrderSuccessful ? 'It is being ordered' : 'The last order failed'}: handshakes for that name are refused.`,
          href,
        },
      ]
    const [end, begin] = [new Date(notAfter).getTime(), new Date(notBefore).getTime()]
    const left = end - now
    if (left <= 0)
      return [
        {
          level: 'critical',
          title: `The certificate of ${name} has expired`,
          detail: `It was valid until ${day(notAfter)}.`,
          href,
        },
      ]
    // For certificates that are valid only for days, the last fifth; ACME renews them earlier.
    const late = Math.min(14 * DAY, (end - begin) / 5)
    if (left < late)
      return [
        {
          level: left < late / 4 ? 'critical' : 'warning',
          title: `The certificate of ${name} expires in ${duration(left / 1000)}`,
          detail:
            source === 'acme'
              ? 'It should have been renewed by now.'
              : `On ${day(notAfter)}. Put a new one in its file.`,
          href,
        },
      ]
    if (lastOrderSuccessful) return []
    return [
      {
        level: 'warning',
        title: `The certificate of ${name} could not be renewed`,
        detail: `It is valid until ${day(notAfter)}. See the log for the CA’s response.`,
        href,
      },
    ]
  })
}

function ofLoad({ windows }: Looked): Finding[] {
  const minute = duration(secondsOf(windows))
  return countedBy(windows, 'sallyport_shed_total', 'reason').map(([reason, amount]) => ({
    level: 'warning',
    title: reason === 'overload' ? 'The gateway is overloaded' : 'Services are overloaded',
    detail: `${plural(amount, 'request')} got 503 because of it in the last ${minute}, low priority first.`,
    href: '/console/requests?status=503',
  }))
}

/** If most requests are refused, something may be wrong with what clients send, or with what is required of them. */
function ofRefusals({ windows, routes }: Looked, outcomes: ReadonlyMap<string, Outcomes>): Finding[] {
  const all = ['', ...(routes ?? []).map(({ id }) => id)].map((id) => outcomes.get(id) ?? NOTHING)
  const seconds = secondsOf(windows)
  const requests = all.reduce((sum, each) => sum + each.requests, 0)
  const refusals = all.reduce((sum, each) => sum + each.refused, 0)
  const refused = refusals / requests
  if (requests < ENOUGH || refused < 0.5) return []
  const [most] = countedBy(windows, 'sallyport_errors_total', 'code')
  const reason = most === undefined ? '' : `, most often ${most[0]}`
  return [
    {
      level: 'notice',
      title: `${share(refused)} of the requests are refused`,
      detail: `${count(refusals)} of ${count(requests)} in the last ${duration(seconds)} got 4xx${reason}.`,
      href: '/console/requests?status=4xx',
    },
  ]
}

function ofProcess({ status, windows }: Looked): Finding[] {
  const found: Finding[] = []
  if (status?.readiness === 'draining')
    found.push({
      level: 'warning',
      title: 'The gateway is stopping',
      detail: `${plural(status.inFlight, 'request')} still in flight.`,
      href: '/console/',
    })
  if (status?.readiness === 'starting')
    found.push({
      level: 'notice',
      title: 'The gateway is starting',
      detail: 'The first health checks are in progress.',
      href: '/console/services',
    })
  const own = counted(windows, 'sallyport_errors_total', ({ code }) => code === 'internal-error')
  if (own > 0)
    found.push({
      level: 'critical',
      title: 'Requests are failing in the gateway itself',
      detail: `${plural(own, 'request')} got 500 in the last ${duration(secondsOf(windows))}. See the log for the errors.`,
      href: '/console/requests?status=500',
    })
  return found
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
