import { ipBytes } from '../core/ip-bytes.ts'

/** The version of the PROXY protocol that a service expects. */
export type ProxyVersion = 'v1' | 'v2'

/** The endpoints of a connection to an instance. */
export interface ConnectionEnds {
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}

/** Instead of a client's address: the gateway itself, as in a health check. */
export const ITSELF = ''

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21
/** Prefix of an IPv4 address mapped to IPv6 (RFC 4291 section 2.5.5.2). */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex')

/**
 * The PROXY protocol header (proxy-protocol.txt) that tells a service which client a connection is for, by its IP
 * address, or that it is for ITSELF. The destination is the remote end of the connection. The client's port is 0, as
 * requests from several of its connections go out over one.
 */
export function proxyHeader(version: ProxyVersion, client: string, ends: ConnectionEnds): Buffer {
  const own = version === 'v2' ? null : (ends.localAddress ?? null)
  const source = bytesOf(client === ITSELF ? own : client)
  const destination = bytesOf(ends.remoteAddress ?? null)
  if (source === null || destination === null) return unnamed(version)
  const [from, to] =
    source.length === destination.length ? [source, destination] : [mapped(source), mapped(destination)]
  const ports = [client === ITSELF ? (ends.localPort ?? 0) : 0, ends.remotePort ?? 0] as const
  return version === 'v1' ? line(from, to, ports) : binary(from, to, ports)
}

/**
 * The header without addresses: version 1 can only say "unknown", version 2 says that the gateway speaks for itself.
 */
function unnamed(version: ProxyVersion): Buffer {
  return version === 'v1' ? Buffer.from('PROXY UNKNOWN\r\n') : Buffer.concat([SIGNATURE, Buffer.from([LOCAL, 0, 0, 0])])
}

function line(from: Buffer, to: Buffer, ports: readonly number[]): Buffer {
  const family = from.length === 4 ? 'TCP4' : 'TCP6'
  return Buffer.from(`PROXY ${family} ${textOf(from)} ${textOf(to)} ${ports.join(' ')}\r\n`)
}

function binary(from: Buffer, to: Buffer, ports: readonly number[]): Buffer {
  const fixed = Buffer.from([PROXY, from.length === 4 ? TCP4 : TCP6, 0, 2 * from.length + 4])
  const both = Buffer.alloc(4)
  for (const [i, port] of ports.entries()) both.writeUInt16BE(port, 2 * i)
  return Buffer.concat([SIGNATURE, fixed, from, to, both])
}

/** Removes a zone, which is only meaningful on this machine. */
function bytesOf(address: string | null): Buffer | null {
  const bytes = address === null ? null : ipBytes(address.replace(/%.*/, ''))
  if (bytes === null || bytes.length === 4 || MAPPED.compare(bytes, 0, 12) !== 0) return bytes
  return bytes.subarray(12)
}

function mapped(bytes: Buffer): Buffer {
  return bytes.length === 4 ? Buffer.concat([MAPPED, bytes]) : bytes
}

function textOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16)).join(':')
}
