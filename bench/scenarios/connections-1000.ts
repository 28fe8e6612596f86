import { wrk } from '../loads/wrk.ts'
import { smallBytes, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/small' } as const

/** Many clients at once, each always waiting for a reply. */
export const connections1000: Scenario = {
  name: 'connections-1000',
  title: `GET, ${smallBytes} bytes, 1,000 connections`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, 1000),
  warmUp: 50_000,
  goals: [{ figure: 'cpu', ratio: 1.3 }],
  // So many at once are more than one thread answers in time: some would be shed, which nobody else does.
  sallyport: { overload: false },
}
