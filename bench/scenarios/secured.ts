import type { Request } from '../loads/load.ts'
import { secret, token, tokenFile } from '../loads/tokens.ts'
import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, type Scenario } from './scenario.ts'

const request: Request = { method: 'GET', path: '/small', headers: { Authorization: `Bearer ${token(0)}` } }

const scenario = {
  request,
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  load: (target) => wrk(target, { method: 'GET', path: '/small' }, defaultConnections, tokenFile(target.dir)),
  warmUp: 50_000,
  peers: ['nginx', 'Sallyport'],
  sallyport: {
    policies: {
      'correlation-id': {},
      auth: { methods: { jwt: { secret, issuer: 'bench', algorithms: ['HS256'] } } },
      'rate-limit': { tiers: { authenticated: '100000000/h' } },
    },
  },
} satisfies Partial<Scenario>

/** Callers are identified by one of 1,000 tokens and rate-limited in memory; nginx only forwards. */
export const secured = {
  ...scenario,
  name: 'secured',
  title: `GET, ${smallBytes} bytes, with jwt, rate-limit in memory and correlation-id; nginx as a plain proxy`,
  goals: [{ figure: 'cpu', ratio: 1.4 }],
} satisfies Scenario

/** The same with the limit in Redis. */
export const securedRedis: Scenario = {
  ...scenario,
  name: 'secured-redis',
  title: `GET, ${smallBytes} bytes, with jwt, rate-limit in Redis and correlation-id; nginx as a plain proxy`,
  goals: [{ figure: 'cpu', ratio: 2.4 }],
  needsRedis: true,
}
