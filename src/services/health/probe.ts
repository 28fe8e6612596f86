import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { rotatingLookup } from '../../http1/rotating-lookup.ts'
import { connectSecurely } from '../../tls/connect-securely.ts'
import type { OutgoingEncryption } from '../../tls/outgoing.ts'

/** What a check asks for. */
export interface ProbeTarget {
  /** Name or IP address to connect to. */
  readonly host: string
  readonly port: number
  /** Value of the Host field, unless it is among the header fields. */
  readonly authority: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** "" for none. */
  readonly body: string
  /** Null where the connection is not encrypted. */
  readonly encryption: OutgoingEncryption | null
}

/**
 * Asks an instance once and reports its status code, or what kept it from answering; never before it returns, and at
 * most once. The returned function gives up: it closes the connection, and nothing is reported any more.
 */
export type Probe = (target: ProbeTarget, done: (outcome: number | Error) => void) => () => void

/** Octets of a body that are read before the status code alone has to do. */
const BODY_LIMIT = 64 * 1024

/** Octets of a head, as services may have in their replies. */
const HEAD_LIMIT = 64 * 1024

/** One for all checks: each begins with another address of its name. */
const lookup = rotatingLookup()

/** A request over a connection of its own. The body has to arrive as well: an instance that stalls in it is not well. */
export const httpProbe: Probe = ({ host, port, authority, method, path, headers, body, encryption }, done) => {
  let open = true
  const finish = (outcome: number | Error): void => {
    if (!open) return
    open = false
    done(outcome)
    asked.destroy()
  }
  let stopConnecting: (() => void) | null = null
  const secureConnection = (_: unknown, connected: (error: Error | null, socket: Duplex) => void): undefined => {
    stopConnecting = connectSecurely({ host, port, lookup }, encryption!, (error, socket) => {
      stopConnecting = null
      connected(error, socket)
    })
  }
  const asked = request({
    host,
    port,
    method,
    path,
    ...(encryption === null ? { agent: false } : { createConnection: secureConnection }),
    setHost: false,
    maxHeaderSize: HEAD_LIMIT,
    lookup,
    headers: { Host: authority, 'User-Agent': 'sallyport-health', Accept: '*/*', ...headers, Connection: 'close' },
  })
  asked.on('response', (response) => {
    const status = response.statusCode!
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > BODY_LIMIT) finish(status)
    })
    response.on('end', () => finish(status))
    response.on('error', finish)
  })
  asked.on('error', finish)
  asked.on('close', () => finish(new Error('connection closed without an answer')))
  asked.end(body)
  return () => {
    open = false
    stopConnecting?.()
    asked.destroy()
  }
}
