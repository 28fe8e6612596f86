import { h2loadCount } from '../loads/h2load.ts'
import { streams, requestsPerSecond, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/10m' } as const

/** Streaming from the service to the client. */
export const get10m: Scenario = {
  name: 'get-10m',
  title: `GET, 10 MB, ${streams} connections`,
  request,
  replyBytes: 10_000_000,
  unit: { name: 'MB', perRequest: 10 },
  load: (target) => h2loadCount(target, request, streams, target.seconds * requestsPerSecond),
  warmUp: 200,
  goals: [{ figure: 'cpu', ratio: 1.2 }],
}
