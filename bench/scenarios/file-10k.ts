import { wrk } from '../loads/wrk.ts'
import { defaultConnections, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/files/10k.json' } as const

/** A 10 kB file, such as a script or a style sheet; the service is not involved. */
export const file10k: Scenario = {
  name: 'file-10k',
  title: `GET, a file of 10 kB, ${defaultConnections} connections`,
  request,
  replyBytes: 10_240,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  goals: [{ figure: 'cpu', ratio: 1.3 }],
  peers: ['nginx', 'Sallyport'],
  files: { '10k.json': 10_240 },
}
