import { h2loadRate } from '../loads/h2load.ts'
import { token } from '../loads/tokens.ts'
import { wrk } from '../loads/wrk.ts'
import { full } from './full.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/small' } as const

/** Requests per second, the same for all: what the slowest peer can handle with ease. */
const rate = 15_000

/** How long replies take: requests start on schedule, whatever happened to earlier ones. */
export const latency: Scenario = {
  name: 'latency',
  title: `Latency at ${rate.toLocaleString('en-GB')} requests a second: GET, ${smallBytes} bytes`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => h2loadRate(target, request, rate),
  warmUpLoad: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  peers: ['nginx', 'HAProxy', 'Sallyport', 'relay'],
  goals: [{ figure: 'p99', ratio: 1 }],
}

const authorized = { ...request, headers: { Authorization: `Bearer ${token(0)}` } }

/** The same with everything that `full` does; nginx only forwards. */
export const latencyFull: Scenario = {
  ...full,
  name: 'latency-full',
  title: `${latency.title}, with everything that the scenario full enables; nginx as a plain proxy`,
  request: authorized,
  load: (target) => h2loadRate(target, authorized, rate),
  warmUpLoad: full.load,
  goals: [{ figure: 'p99', ratio: 1.2 }],
}
