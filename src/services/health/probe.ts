import { request } from 'node:http'

/** What a check asks for. */
export interface ProbeTarget {
  /** Value of the Host field. */
  readonly address: string
  readonly host: string
  readonly port: number
  /** Path and query. */
  readonly path: string
}

/**
 * Asks an instance once and reports its status code, or what kept it from answering; never before it returns, and at
 * most once. The returned function gives up: it closes the connection, and nothing is reported any more.
 */
export type Probe = (target: ProbeTarget, done: (outcome: number | Error) => void) => () => void

/** Octets of a body that are read before the status code alone has to do. */
const BODY_LIMIT = 64 * 1024

/** A GET over a connection of its own. The body has to arrive as well: an instance that stalls in it is not well. */
export const httpProbe: Probe = ({ address, host, port, path }, done) => {
  let open = true
  const finish = (outcome: number | Error): void => {
    if (!open) return
    open = false
    done(outcome)
    get.destroy()
  }
  const get = request({
    host,
    port,
    path,
    agent: false,
    setHost: false,
    headers: { Host: address, 'User-Agent': 'sallyport-health', Accept: '*/*', Connection: 'close' },
  })
  get.on('response', (response) => {
    const status = response.statusCode!
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > BODY_LIMIT) finish(status)
    })
    response.on('end', () => finish(status))
    response.on('error', finish)
  })
  get.on('error', finish)
  get.on('close', () => finish(new Error('connection closed without an answer')))
  get.end()
  return () => {
    open = false
    get.destroy()
  }
}
