import { type ClientRequestArgs, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { rotatingLookup } from '../../http/rotating-lookup.ts'
import { connectSecurely } from '../../tls/connect-securely.ts'
import type { OutgoingEncryption } from '../../tls/outgoing.ts'
import { ITSELF, proxyHeader, type ProxyVersion } from '../../proxy-protocol/written-header.ts'

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
  /** The version of the PROXY protocol by which the connection says that it is for nobody else. */
  readonly proxyProtocol: ProxyVersion | 'off'
  /** The instance is asked over HTTP/2. */
  readonly http2: boolean
  /** The service that grpc.health.v1 of the instance is asked for, "" for all of it; left out where something else is asked. */
  readonly grpc?: string | undefined
}

/** A status code, what grpc.health.v1 says where all is well, or what kept the instance from answering. */
export type ProbeOutcome = number | 'SERVING' | Error

/**
 * Asks an instance once and reports what came of it; never before it returns, and at
 * most once. The returned function gives up: it closes the connection, and nothing is reported any more.
 */
export type Probe = (target: ProbeTarget, done: (outcome: ProbeOutcome) => void) => () => void

/** Octets of a body that are read before the status code alone has to do. */
export const BODY_LIMIT = 64 * 1024

/** Octets of a head, as services may have in their replies. */
export const HEAD_LIMIT = 64 * 1024

/** One for all checks: each begins with another address of its name. */
const lookup = rotatingLookup()

/** A request over a connection of its own. The body has to arrive as well: an instance that stalls in it is not well. */
export const httpProbe: Probe = (target, done) => {
  const { host, port, authority, method, path, headers, body } = target
  let open = true
  const finish = (outcome: number | Error): void => {
    if (!open) return
    open = false
    done(outcome)
    asked.destroy()
  }
  let stopConnecting: (() => void) | null = null
  const begin = beginningOf(target)
  const connectFirst =
    (first: Begin): ClientRequestArgs['createConnection'] =>
    (_, connected) => {
      stopConnecting = first((error, socket) => {
        stopConnecting = null
        connected(error, socket)
      })
      return undefined
    }
  const asked = request({
    host,
    port,
    method,
    path,
    ...(begin === null ? { agent: false } : { createConnection: connectFirst(begin) }),
    setHost: false,
    maxHeaderSize: HEAD_LIMIT,
    lookup,
    headers: { Host: authority, 'User-Agent': 'sallyport-health', Accept: '*/*', ...headers, Connection: 'close' },
  })
  asked.on('response', (response) => {
    const { statusCode: status = 0 } = response
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

/** Makes a connection, and tells once of it or of what kept it from standing. Returns what gives up. */
type Begin = (done: (error: Error | null, socket: Socket) => void) => () => void

/** How a connection is made that does not begin with the request; null where it does. */
function beginningOf({ host, port, encryption, proxyProtocol }: ProbeTarget): Begin | null {
  const introduction = proxyProtocol === 'off' ? null : (ends: Socket) => proxyHeader(proxyProtocol, ITSELF, ends)
  if (encryption !== null) return (done) => connectSecurely({ host, port, lookup, introduction }, encryption, done)
  return introduction === null ? null : (done) => connectIntroduced({ host, port }, introduction, done)
}

function connectIntroduced(
  place: { readonly host: string; readonly port: number },
  introduction: (ends: Socket) => Buffer,
  done: (error: Error | null, socket: Socket) => void,
): () => void {
  const socket = connect({ ...place, lookup, autoSelectFamily: true, noDelay: true })
  const failed = (error: Error): void => done(error, socket)
  socket.on('error', failed)
  socket.on('connect', () => {
    socket.off('error', failed)
    socket.write(introduction(socket))
    done(null, socket)
  })
  return () => {
    socket.off('error', failed)
    socket.on('error', () => {})
    socket.destroy()
  }
}
