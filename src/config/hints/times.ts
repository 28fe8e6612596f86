import type { GatewayConfig } from '../schema.ts'
import type { Hint, HintRule } from './hint.ts'

type Service = GatewayConfig['services'][string]

/** Timeouts of a service that end before others can take effect; defaults are not reported. */
export const timeHints: HintRule = ({ services, drainTimeout }) =>
  Object.entries(services).flatMap(([name, service]) =>
    [...ofTotal(service), ...ofHealth(service), ...ofPool(service), ...ofDrain(service, drainTimeout)].map(
      ({ path, message }): Hint => ({ path: ['services', name, ...path], message }),
    ),
  )

/** Defaults from service-schema.ts, in milliseconds. */
const DEFAULTS = { connect: 2000, response: 30_000 } as const

function ofTotal({ timeouts }: Service): Hint[] {
  const { total } = timeouts
  if (total === undefined) return []
  return (['connect', 'response'] as const).flatMap((key): Hint[] => {
    const time = timeouts[key]
    if (time < total || time === DEFAULTS[key]) return []
    const message = `${spell(time)} are never reached, because timeouts.total ends the request after ${spell(total)}. Make it shorter, or total longer.`
    return [{ path: ['timeouts', key], message }]
  })
}

function ofHealth({ health }: Service): Hint[] {
  if (health === false || health.timeout <= health.interval) return []
  const message = `a check may take ${spell(health.timeout)}, but the next one begins after ${spell(health.interval)}. Make timeout shorter, or interval longer.`
  return [{ path: ['health', 'timeout'], message }]
}

function ofPool({ pool: { idleTimeout, lifetime } }: Service): Hint[] {
  if (idleTimeout <= lifetime) return []
  const message = `an idle connection is never kept for ${spell(idleTimeout)}, because pool.lifetime ends it after ${spell(lifetime)}. Make it shorter, or lifetime longer.`
  return [{ path: ['pool', 'idleTimeout'], message }]
}

function ofDrain({ timeouts: { response, total } }: Service, drain: number): Hint[] {
  const longest = Math.min(response, total ?? Infinity)
  // A setting that was left at its default is not reported.
  if (longest <= drain || (longest === DEFAULTS.response && total === undefined)) return []
  const key = total !== undefined && total < response ? 'total' : 'response'
  const message = `a reply may take ${spell(longest)}, but drainTimeout cuts it off after ${spell(drain)} when the gateway stops. Make drainTimeout longer.`
  return [{ path: ['timeouts', key], message }]
}

function spell(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`
}
