import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { Authority } from './certificates.ts'

/** Whether test gateways without configured listeners use TLS, and so do their clients. */
const secure = process.env['TEST_SCHEME'] === 'https'

/** Ports of gateways that use TLS. */
const ports = new Set<number>()
let files: { cert: string; key: string } | null = null

/** The listeners of a gateway whose test configures none. */
export function defaultListeners() {
  const address = '127.0.0.1:0'
  return [secure ? { address, tls: { certificates: [(files ??= makeFiles())] } } : { address }]
}

/** Makes `openSocket` use TLS for that port, on which a default listener runs, if default listeners use TLS. */
export function noteDefault(port: number): void {
  if (secure) ports.add(port)
}

/** Whether the port uses TLS. */
export function isSecure(port: number): boolean {
  return ports.has(port)
}

/** A connection to a local port from a local address, after the TLS handshake if it uses TLS. */
export async function openSocket(port: number, localAddress: string): Promise<Socket> {
  const raw = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
  await happens(raw, 'connect')
  if (!ports.has(port)) return raw
  const socket = connectTls({ socket: raw, rejectUnauthorized: false })
  socket.resetAndDestroy = () => {
    raw.resetAndDestroy()
    return socket.destroy()
  }
  await happens(socket, 'secureConnect')
  return socket
}

function happens(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.once(event, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

/** Valid at any time of a test's clock. */
function makeFiles(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-scheme-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const [notBefore, notAfter] = [Date.UTC(2020, 0), Date.UTC(2049, 0)]
  const leaf = new Authority({ notBefore, notAfter }).issue({ notBefore, notAfter })
  const made = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  writeFileSync(made.cert, leaf.cert)
  writeFileSync(made.key, leaf.key)
  return made
}
