import { isIPv4, isIPv6 } from 'node:net'
import { CR, LF } from '../http/characters.ts'
import { clientWith, type Introduction, MalformedProxyHeader, type ProxyHeader } from './introduction.ts'

/** Length of the longest line in bytes, CR and LF included (proxy-protocol.txt section 2.1). */
const MAX_LENGTH = 107
const BEGINNING = 'PROXY '
/** Without leading zeros, which some parsers take for an octal number. */
const PORT = /^(?:0|[1-9]\d{0,4})$/

/** Parses the text header; null while it is incomplete. Throws MalformedProxyHeader. */
export function readVersion1(bytes: Buffer): ProxyHeader | null {
  const max = Math.min(bytes.length, MAX_LENGTH)
  const seen = bytes.toString('latin1', 0, Math.min(max, BEGINNING.length))
  if (!BEGINNING.startsWith(seen)) throw new MalformedProxyHeader('it does not begin with "PROXY "')
  for (let at = 0; at < max; at++) {
    if (bytes[at] === LF) throw new MalformedProxyHeader('its line ends with LF alone')
    if (bytes[at] !== CR) continue
    if (at + 1 === max) break
    if (bytes[at + 1] !== LF) throw new MalformedProxyHeader('a CR in its line is not followed by LF')
    return { introduction: introductionOf(bytes.toString('latin1', BEGINNING.length, at)), length: at + 2 }
  }
  if (bytes.length >= MAX_LENGTH) throw new MalformedProxyHeader(`its line has more than ${MAX_LENGTH} bytes`)
  return null
}

function introductionOf(line: string): Introduction {
  const [family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = line.split(' ')
  // The rest of such a line has to be ignored.
  if (family === 'UNKNOWN') return { kind: 'unknown' }
  if (family !== 'TCP4' && family !== 'TCP6') throw new MalformedProxyHeader('its family is not TCP4, TCP6 or UNKNOWN')
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6
  if (!isAddress(source) || !isAddress(destination))
    throw new MalformedProxyHeader(`an address in it is not a ${family} address`)
  if (!isPort(sourcePort) || !isPort(destinationPort)) throw new MalformedProxyHeader('a port in it is not valid')
  if (more.length > 0) throw new MalformedProxyHeader('something follows the ports')
  return clientWith(source, family === 'TCP4' ? 'ipv4' : 'ipv6')
}

/** Zones are rejected, as they are only meaningful on the machine they come from. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535
}
