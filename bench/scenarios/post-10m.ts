import type { Request } from '../loads/load.ts'
import { h2loadCount } from '../loads/h2load.ts'
import { streams, requestsPerSecond, type Scenario } from './scenario.ts'

const request: Request = {
  method: 'POST',
  path: '/read',
  headers: { 'Content-Type': 'application/octet-stream' },
  body: 10_000_000,
}

/** Streaming from the client to the service, which answers once it has the whole body. */
export const post10m: Scenario = {
  name: 'post-10m',
  title: `POST of 10 MB, ${streams} connections`,
  request,
  replyBytes: 11,
  unit: { name: 'MB', perRequest: 10 },
  load: (target) => h2loadCount(target, request, streams, target.seconds * requestsPerSecond),
  warmUp: 200,
  goals: [{ figure: 'cpu', ratio: 2 }],
}
