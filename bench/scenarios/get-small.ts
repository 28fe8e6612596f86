import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/small' } as const

/** The common case: a small JSON reply over keep-alive connections. */
export const getSmall: Scenario = {
  name: 'get-small',
  title: `GET, ${smallBytes} bytes of JSON, ${defaultConnections} connections`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  goals: [
    { figure: 'cpu', ratio: 1.2 },
    { figure: 'cpu', ratio: 1.1, to: 'relay' },
  ],
}
