import { type ClientRequestArgs, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { rotatingLookup } from '../../http/rotating-lookup.ts'
import { connectSecurely } from '../../tls/connect-securely.ts'
import type { OutgoingEncryption } from '../../tls/outgoing.ts'
import { ITSELF, proxyHeader, type ProxyVersion } from '../../proxy-protocol/written-header.ts'

/** Target of a check. */
export interface ProbeTarget {
  /** Name or IP address to connect to. */
  readonly host: string
  readonly port: number
  /** Value of the Host header, unless it is among `headers`. */
  readonly authority: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** "" for none. */
  readonly body: string
  /** Null for an unencrypted connection. */
  readonly encryption: OutgoingEncryption | null
  /** The version of the PROXY protocol used to announce a connection made by the gateway itself (LOCAL). */
  readonly proxyProtocol: ProxyVersion | 'off'
  /** Whether the instance is reached over HTTP/2. */
  readonly http2: boolean
  /** Service name for grpc.health.v1, "" for the whole instance; omitted for HTTP checks. */
  readonly grpc?: string | undefined
}

/** A status code, the result of grpc.health.v1 when all is well, or the error that prevented a reply. */
export type ProbeOutcome = number | 'SERVING' | Error

/**
 * Sends one request to an instance and reports the outcome; at most once and never before it returns. The returned function aborts: it
 * closes the connection, and nothing is reported any more.
 */
export type Probe = (target: ProbeTarget, done: (outcome: ProbeOutcome) => void) => () => void

/** Maximum number of body bytes to read; beyond that, the status code decides. */
export const BODY_LIMIT = 64 * 1024

/** Maximum size of the head in bytes, the same as for replies of services. */
export const HEAD_LIMIT = 64 * 1024

/** Shared by all checks, so that each starts with the next address of a name. */
const lookup = rotatingLookup()

/** Sends a request over a new connection. The body must arrive as well: an instance that stalls while sending it is not healthy. */
export const httpProbe: Probe = (target, done) => {
  const { host, port, authority, method, path, headers, body } = target
  let open = true
  const finish = (outcome: number | Error): void => {
    if (!open) return
    open = false
    done(outcome)
    outgoing.destroy()
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
  const outgoing = request({
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
  outgoing.on('response', (response) => {
    const { statusCode: status = 0 } = response
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > BODY_LIMIT) finish(status)
    })
    response.on('end', () => finish(status))
    response.on('error', finish)
  })
  outgoing.on('error', finish)
  outgoing.on('close', () => finish(new Error('connection closed without an answer')))
  outgoing.end(body)
  return () => {
    open = false
    stopConnecting?.()
    outgoing.destroy()
  }
}

/** Establishes a connection, and reports it or the error exactly once. Returns a function that aborts. */
type Begin = (done: (error: Error | null, socket: Socket) => void) => () => void

/** What must happen on the connection before the request; null if nothing. */
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
