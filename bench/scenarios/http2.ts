import { h2loadStreams } from '../loads/h2load.ts'
import { full } from './full.ts'
import { get20Headers } from './get-20-headers.ts'
import { get64k } from './get-64k.ts'
import { getSmall } from './get-small.ts'
import { post1k } from './post-1k.ts'
import { smallBytes, type Scenario } from './scenario.ts'

/** Connections, and requests in flight on each of them. */
const few = { connections: 8, streams: 16 }
const many = { connections: 64, streams: 1 }

type Spread = typeof few

function over(name: string, title: string, base: Scenario, { connections, streams }: Spread, ratio: number): Scenario {
  return {
    name,
    title: `HTTP/2: ${title}, ${connections} connections of ${streams} ${streams === 1 ? 'request' : 'requests'} each`,
    request: base.request,
    replyBytes: base.replyBytes,
    unit: base.unit,
    load: (target) => h2loadStreams(target, base.request, connections, streams),
    warmUp: base.warmUp,
    peers: ['nginx', 'HAProxy', 'Sallyport', 'Caddy'],
    http2: true,
    goals: [{ figure: 'cpu', ratio }],
  }
}

const small = `GET, ${smallBytes} bytes`

/** Services are called over HTTP/1.1. */
export const http2Small = over('http2-small', small, getSmall, few, 0.75)
export const http2Connections = over('http2-connections', small, getSmall, many, 1.1)
export const http2Headers = over('http2-20-headers', `${small}, 20 header fields`, get20Headers, few, 0.75)
export const http2Post = over('http2-post-1k', 'POST of 1 kB', post1k, few, 0.9)
export const http2Large = over('http2-64k', 'GET, 64 kB', get64k, few, 1.1)
export const http2Tls: Scenario = { ...over('http2-tls', `${small} over TLS 1.3`, getSmall, few, 0.85), tls: 'P-256' }

/** The same with HTTP/2 on both sides. */
function throughout(name: string, spread: Spread, ratio: number): Scenario {
  const scenario = over(name, `${small}, on both sides`, getSmall, spread, ratio)
  return { ...scenario, http2Service: true }
}

export const http2Both = throughout('http2-both', few, 0.75)
export const http2BothConnections = throughout('http2-both-connections', many, 0.9)

/** Everything that `full` does, for HTTP/2 clients; nginx only forwards. */
export const http2Full: Scenario = {
  ...full,
  name: 'http2-full',
  title: `HTTP/2: ${full.title}, ${few.connections} connections of ${few.streams} requests each`,
  load: (target) => h2loadStreams(target, full.request, few.connections, few.streams),
  http2: true,
  goals: [{ figure: 'cpu', ratio: 1.1 }],
}
