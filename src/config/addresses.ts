import { isIPv6 } from 'node:net'
import { z } from 'zod'
import type { Address } from '../core/address.ts'

/** The address of an instance; the host of an IPv6 address has no brackets. */
export interface InstanceUrl extends Address {
  scheme: 'http' | 'https'
}

/** RFC 1123 section 2.1 host names, plus the underscore that container networks use. */
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i
const HOST_AND_PORT = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?$/

/** Whether the text is a host name or an IPv4 address. */
function isHostName(text: string): boolean {
  return text.length <= 253 && HOST_NAME.test(text)
}

/** Reads "name", "name:port", "1.2.3.4:port" or "[v6]:port"; undefined for any other text. */
export function parseHostAndPort(text: string): { host: string; port: number | undefined } | undefined {
  const parts = HOST_AND_PORT.exec(text)?.groups
  if (parts === undefined) return undefined
  const { v6, name = '' } = parts
  const port = parts['port'] === undefined ? undefined : Number(parts['port'])
  if (port !== undefined && port > 65535) return undefined
  if (v6 !== undefined) return isIPv6(v6) ? { host: v6.toLowerCase(), port } : undefined
  return isHostName(name) ? { host: name.toLowerCase(), port } : undefined
}

/** Reads "http://host[:port]" or "https://host[:port]"; the port defaults to 80 or 443. Returns undefined for any other text. */
export function parseInstanceUrl(text: string): InstanceUrl | undefined {
  const [, written = '', authority = ''] = /^(https?):\/\/([^/]+)\/?$/i.exec(text) ?? []
  const parsed = parseHostAndPort(authority)
  if (parsed === undefined || parsed.port === 0) return undefined
  const scheme = written.length === 4 ? 'http' : 'https'
  return { scheme, host: parsed.host, port: parsed.port ?? (scheme === 'http' ? 80 : 443) }
}

const addressExpected = 'expected host and port such as "0.0.0.0:8000" or "[::]:8000"'

/** Schema of "host:port". */
export const address = z.string(addressExpected).transform((text, context): Address => {
  const parsed = parseHostAndPort(text)
  if (parsed?.port !== undefined) return { host: parsed.host, port: parsed.port }
  context.addIssue({ code: 'custom', message: addressExpected })
  return z.NEVER
})
