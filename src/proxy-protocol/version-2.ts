import { clientWith, type Introduction, MalformedProxyHeader, type ProxyHeader } from './introduction.ts'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Bytes before the addresses: signature, version and command, family and protocol, length. */
const FIXED = 16
/**
 * Maximum number of bytes after them: enough for what load balancers report about a client, including its certificate.
 */
const MAX_LENGTH = 4096
const VERSION = 2
const LOCAL = 0
const PROXY = 1
const UNSPECIFIED = 0
const IPV4 = 1
const IPV6 = 2
/** Size in bytes of both addresses and ports, by the number of the family: unspecified, IPv4, IPv6, Unix. */
const ADDRESSES = [0, 12, 36, 216] as const
/** The highest protocol number: unspecified, stream, datagram. */
const DATAGRAM = 2

/**
 * Parses the binary header (proxy-protocol.txt section 2.2); null while it is incomplete. Throws MalformedProxyHeader.
 */
export function readVersion2(bytes: Buffer): ProxyHeader | null {
  const signed = Math.min(bytes.length, SIGNATURE.length)
  if (SIGNATURE.compare(bytes, 0, signed, 0, signed) !== 0)
    throw new MalformedProxyHeader('it does not begin like version 1 or 2')
  if (bytes.length > SIGNATURE.length) checkCommand(bytes.readUInt8(SIGNATURE.length))
  if (bytes.length < FIXED) return null
  const following = bytes.readUInt16BE(FIXED - 2)
  if (following > MAX_LENGTH) throw new MalformedProxyHeader(`its length is more than ${MAX_LENGTH} bytes`)
  const length = FIXED + following
  if (bytes.length < length) return null
  return { introduction: introductionOf(bytes.subarray(0, length)), length }
}

function checkCommand(byte: number): void {
  if (byte >> 4 !== VERSION) throw new MalformedProxyHeader(`its version is ${byte >> 4}`)
  if ((byte & 15) > PROXY) throw new MalformedProxyHeader('its command is neither LOCAL nor PROXY')
}

function introductionOf(header: Buffer): Introduction {
  // The rest of such a header has to be ignored.
  if ((header.readUInt8(SIGNATURE.length) & 15) === LOCAL) return { kind: 'local' }
  const kind = header.readUInt8(13)
  const [family, protocol] = [kind >> 4, kind & 15]
  const addresses = ADDRESSES[family]
  if (addresses === undefined || protocol > DATAGRAM)
    throw new MalformedProxyHeader('its family or protocol is not known')
  if (family === UNSPECIFIED || protocol === UNSPECIFIED) return { kind: 'unknown' }
  if (header.length < FIXED + addresses) throw new MalformedProxyHeader('it has no room for its addresses')
  checkFurther(header, FIXED + addresses)
  if (family === IPV4) return clientWith(header.subarray(FIXED, FIXED + 4).join('.'), 'ipv4')
  if (family === IPV6) return clientWith(ipv6Of(header.subarray(FIXED, FIXED + 16)), 'ipv6')
  return { kind: 'unknown' }
}

function ipv6Of(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16)).join(':')
}

/** Skips the TLVs after the addresses, each with a type and a length; the last one must end where the header does. */
function checkFurther(header: Buffer, start: number): void {
  let at = start
  while (at < header.length) {
    if (header.length - at < 3) throw new MalformedProxyHeader('it ends in the middle of a TLV')
    at += 3 + header.readUInt16BE(at + 1)
  }
  if (at > header.length) throw new MalformedProxyHeader('a TLV in it is longer than the header')
}
