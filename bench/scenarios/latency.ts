import { h2loadRate } from '../loads/h2load.ts'
import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/small' } as const

/** How long replies take when a proxy has half of what it can do: requests start on time whatever became of others. */
export const latency: Scenario = {
  name: 'latency',
  title: `Latency at a fixed rate: GET, ${smallBytes} bytes, half of each proxy's own maximum`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load(target) {
    if (target.maximum === undefined) throw new Error('its maximum is not known: it has no valid round in get-small')
    return h2loadRate(target, request, target.maximum / 2)
  },
  warmUpLoad: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  goal: { figure: 'p99', ratio: 2 },
  needsMaximum: true,
}
