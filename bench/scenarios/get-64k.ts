import { wrk } from '../loads/wrk.ts'
import { defaultConnections, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/64k' } as const

/** A reply that takes several reads and writes. */
export const get64k: Scenario = {
  name: 'get-64k',
  title: `GET, 64 kB, ${defaultConnections} connections`,
  request,
  replyBytes: 65_536,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 20_000,
  goals: [{ figure: 'cpu', ratio: 1.5 }],
}
