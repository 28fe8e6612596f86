/** Arguments: the origin, the number of concurrent connections, seconds, and full or resumed. Prints the figures as one line of JSON. */
import { connect } from 'node:tls'

const [origin = '', connections = '1', seconds = '1', kind = 'full'] = process.argv.slice(2)
const { hostname: host, port } = new URL(origin)
const resumed = kind === 'resumed'
/** The same as in openssl.cnf. */
const offered = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', ecdhCurve: 'X25519' } as const
const request = `GET /small HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`

const latencies: number[] = []
const wrong = { errors: 0, status: 0, unexpected: 0 }

/** One connection; resolves with the last ticket that it received. */
function once(session: Buffer | undefined): Promise<Buffer | undefined> {
  const begun = performance.now()
  const socket = connect({
    host,
    port: Number(port),
    rejectUnauthorized: false,
    ...offered,
    ...(session && { session }),
  })
  let ticket: Buffer | undefined
  let reply = ''
  return new Promise((resolve) => {
    socket.setEncoding('latin1')
    socket.on('session', (given) => (ticket = given))
    socket.on('secureConnect', () => {
      if (socket.isSessionReused() !== (session !== undefined)) wrong.unexpected++
      socket.write(request)
    })
    socket.on('data', (text: string) => (reply += text))
    socket.on('error', () => wrong.errors++)
    socket.on('close', () => {
      if (!reply.startsWith('HTTP/1.1 200 ')) wrong.status++
      latencies.push((performance.now() - begun) * 1000)
      resolve(ticket)
    })
  })
}

async function loop(until: number): Promise<void> {
  let session: Buffer | undefined
  while (performance.now() < until) {
    const ticket = await once(session)
    if (resumed) session = ticket
  }
}

const start = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, () => loop(start + Number(seconds) * 1000)))
const took = (performance.now() - start) / 1000
latencies.sort((a, b) => a - b)
const at = (part: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0
console.log(JSON.stringify({ requests: latencies.length, seconds: took, p50: at(0.5), p99: at(0.99), ...wrong }))
