import { type Endpoints, ownPaths } from '../config/endpoints-schema.ts'
import { GatewayError } from '../core/errors.ts'
import type { RequestFacts } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import type { Redirect } from '../listener/receiver.ts'

/** Where CAs look for the answer to a challenge, in plain HTTP (RFC 8555 section 8.3): a token, and no way on to other paths. */
const CHALLENGE = /^\/\.well-known\/acme-challenge\/[\w-]+$/
const HTTPS = 443

/** Leads requests of plain HTTP to the same place over https; who asks for the health of the gateway, and CAs, are answered here. */
export class HttpsRedirect implements Redirect {
  private readonly port: () => number
  private readonly health: ReadonlySet<string>

  /** `port` is the one that clients know, once there is one. */
  constructor(port: () => number, endpoints: Endpoints) {
    this.port = port
    this.health = new Set(ownPaths(endpoints).flatMap(({ endpoint, path }) => (endpoint === 'health' ? [path] : [])))
  }

  /** Null for what is to be answered as it is. Throws GatewayError 'bad-request' where no host is asked for. */
  replyTo({ client, host, path, query }: RequestFacts): Reply | null {
    // A proxy that is trusted says that the client speaks TLS to it.
    if (client.scheme === 'https' || CHALLENGE.test(path) || this.health.has(path)) return null
    const asked = client.host ?? host
    if (asked === '') throw new GatewayError('bad-request', 'Use https, and send a Host field.')
    const port = this.port()
    const authority = asked.replace(/:\d*$/, '') + (port === HTTPS ? '' : `:${port}`)
    const location = `https://${authority}${path === '*' ? '/' : path}${query}`
    return new Reply(308, Headers.of([['Location', location]]), null)
  }
}
