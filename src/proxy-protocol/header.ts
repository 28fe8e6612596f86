import type { ProxyHeader } from './introduction.ts'
import { readVersion1 } from './version-1.ts'
import { readVersion2 } from './version-2.ts'

const P = 0x50

/**
 * Parses a header of the PROXY protocol, version 1 or 2, at the beginning of the bytes; null while it is incomplete.
 * Throws MalformedProxyHeader as soon as they cannot become one.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | null {
  return bytes[0] === P ? readVersion1(bytes) : readVersion2(bytes)
}
