import type { Request } from '../loads/load.ts'
import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request: Request = { method: 'GET', path: '/small', headers: { Connection: 'close' } }

/** A client that opens a new connection for every request; a proxy may keep its connections to the service. */
export const newConnection: Scenario = {
  name: 'new-connection',
  title: `GET, ${smallBytes} bytes, a new connection for each request, ${defaultConnections} at a time`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 20_000,
  goals: [{ figure: 'cpu', ratio: 1.4 }],
}
