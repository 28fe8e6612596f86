import { wrk } from '../loads/wrk.ts'
import { smallBytes, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/small' } as const

/** Many concurrent clients, each always waiting for a reply. */
export const connections1000: Scenario = {
  name: 'connections-1000',
  title: `GET, ${smallBytes} bytes, 1,000 connections`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, 1000),
  warmUp: 50_000,
  goals: [{ figure: 'cpu', ratio: 1.3 }],
  // One thread cannot answer this many in time: overload protection, which no other peer has, would shed some.
  sallyport: { overload: false },
}
