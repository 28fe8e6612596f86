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

/** The CA of a test file's certificates; shared because generating keys takes time. */
export const authority = new Authority()

/** Files of a certificate and its key, as named in the configuration. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/** Writes a certificate to files until the end of the test. */
export function writeLeaf(t: TestContext, leaf: Leaf): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tls-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  replaceLeaf(files, leaf)
  return files
}

/** `listeners` of a configuration with one that uses TLS, on any free port. */
export function tlsListeners(certificates: readonly CertificateFiles[], options: object = {}) {
  return { listeners: [{ address: '127.0.0.1:0', tls: { certificates: [...certificates], ...options } }] }
}

/**
 * Connects to a local port with TLS until the end of the test, trusting the CA above; `before` is sent first. Rejects if the handshake
 * fails.
 */
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
  // A socket that is passed in keeps its half-open behavior, for which node:tls has no option.
  const socket = connectTls({ socket: raw, servername: 'localhost', ca: authority.cert, ...options })
  cleanUp(t, () => socket.destroy())
  await once(socket, 'secureConnect')
  return { peer: new Peer(socket), socket }
}

/** Writes another certificate to the files. */
export function replaceLeaf({ cert, key }: CertificateFiles, leaf: Leaf): void {
  writeFileSync(cert, leaf.cert)
  writeFileSync(key, leaf.key)
}
