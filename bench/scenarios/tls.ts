import { handshakes } from '../loads/handshakes.ts'
import { wrk } from '../loads/wrk.ts'
import { defaultConnections, smallBytes, streams, type Scenario } from './scenario.ts'

const small = { method: 'GET', path: '/small' } as const
const large = { method: 'GET', path: '/1m' } as const
const peers = ['nginx', 'HAProxy', 'Sallyport', 'Caddy']

/** The number of concurrent handshakes. */
const handshaking = 16

const common = {
  replyBytes: smallBytes,
  unit: { name: 'request', perRequest: 1 },
  peers,
} satisfies Partial<Scenario>

/** Encrypted keep-alive connections. */
export const tlsSmall: Scenario = {
  ...common,
  name: 'tls-small',
  title: `GET, ${smallBytes} bytes over TLS 1.3, ${defaultConnections} connections`,
  request: small,
  load: (target) => wrk(target, small, defaultConnections),
  warmUp: 50_000,
  tls: 'P-256',
  goals: [{ figure: 'cpu', ratio: 1.35 }],
}

/** A body that takes a while to encrypt. */
export const tls1m: Scenario = {
  ...common,
  name: 'tls-1m',
  title: `GET, 1 MB over TLS 1.3, ${streams} connections`,
  request: large,
  replyBytes: 1_000_000,
  unit: { name: 'MB', perRequest: 1 },
  load: (target) => wrk(target, large, streams),
  warmUp: 1_000,
  tls: 'P-256',
  goals: [{ figure: 'cpu', ratio: 1 }],
}

/** A full handshake for each request, with the certificate's key type. */
export const tlsHandshake: Scenario = {
  ...common,
  name: 'tls-handshake',
  title: `Full TLS 1.3 handshake and GET, ${smallBytes} bytes, P-256, ${handshaking} at a time`,
  request: small,
  load: (target) => handshakes(target, handshaking, false),
  warmUp: 4_000,
  tls: 'P-256',
  goals: [{ figure: 'cpu', ratio: 1.5 }],
}

export const tlsHandshakeRsa: Scenario = {
  ...tlsHandshake,
  name: 'tls-handshake-rsa',
  title: `Full TLS 1.3 handshake and GET, ${smallBytes} bytes, RSA 2048, ${handshaking} at a time`,
  tls: 'RSA 2048',
  goals: [{ figure: 'cpu', ratio: 1.4 }],
}

/** A handshake for each request that resumes the previous session. */
export const tlsResumed: Scenario = {
  ...tlsHandshake,
  name: 'tls-resumed',
  title: `Resumed TLS 1.3 handshake and GET, ${smallBytes} bytes, ${handshaking} at a time`,
  load: (target) => handshakes(target, handshaking, true),
}
