import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { Authority, type Leaf } from './certificates.ts'
import { cleanUp } from './cleanup.ts'
import { Peer } from './peer.ts'

/** The CA of a test file's certificates; making keys takes time. */
export const authority = new Authority()

/** Files of a certificate and its key, as the configuration names them. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** Puts a certificate into files until the end of the test. */
export function writeLeaf(t: TestContext, leaf: Leaf): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  replaceLeaf(files, leaf)
  return files
}

/** `listeners` of a configuration with one that speaks TLS, on any free port. */
export function tlsListeners(certificates: readonly CertificateFiles[], options: object = {}) {
  return { listeners: [{ address: '127.0.0.1:0', tls: { certificates: [...certificates], ...options } }] }
}

/** Connects to a port of this machine with TLS until the end of the test, believing the CA above; `before` goes ahead of it. Rejects where the handshake fails. */
export async function connectSecurely(
  t: TestContext,
  port: number,
  options: ConnectionOptions = {},
  before = '',
  localAddress = '127.0.0.1',
): Promise<{ peer: Peer; socket: TLSSocket }> {
  const raw = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
  await once(raw, 'connect')
  if (before !== '') raw.write(before)
  // What is given as a socket keeps its half-open ends, which node:tls has no option for.
  const socket = connectTls({ socket: raw, servername: 'localhost', ca: authority.cert, ...options })
  cleanUp(t, () => socket.destroy())
  await once(socket, 'secureConnect')
  return { peer: new Peer(socket), socket }
}

/** Puts another certificate into the files. */
export function replaceLeaf({ cert, key }: CertificateFiles, leaf: Leaf): void {
  writeFileSync(cert, leaf.cert)
  writeFileSync(key, leaf.key)
}
