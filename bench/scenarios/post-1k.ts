import type { Request } from '../loads/load.ts'
import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request: Request = {
  method: 'POST',
  path: '/small',
  headers: { 'Content-Type': 'application/octet-stream' },
  body: 1000,
}

/** A small request body. */
export const post1k: Scenario = {
  name: 'post-1k',
  title: `POST of 1 kB, ${defaultConnections} connections`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  goals: [{ figure: 'cpu', ratio: 1.35 }],
}
