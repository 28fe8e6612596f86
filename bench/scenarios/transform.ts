import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request = { method: 'GET', path: '/small', headers: { Origin: 'https://app.example.com' } } as const

/** The common case with changes to requests and replies, against nginx without any. */
export const transform: Scenario = {
  name: 'transform',
  title: `GET, ${smallBytes} bytes, with CORS, security headers, and request and response headers`,
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, request, defaultConnections),
  warmUp: 50_000,
  goals: [{ figure: 'cpu', ratio: 1.25 }],
  peers: ['nginx', 'Sallyport'],
  sallyport: {
    policies: {
      cors: { origins: ['https://app.example.com'], credentials: true },
      'security-headers': {},
      'request-headers': { set: { 'X-Route': '{route.id}' } },
      'response-headers': { set: { 'X-Gateway': 'sallyport' }, remove: ['Server'] },
    },
  },
}
