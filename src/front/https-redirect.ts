import { type Endpoints, ownPaths } from '../config/endpoints-schema.ts'
import { GatewayError } from '../core/errors.ts'
import type { RequestFacts } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import type { Redirect } from '../listener/receiver.ts'

/** Path on which CAs request the answer to a challenge over plain HTTP (RFC 8555 section 8.3); the token cannot lead to other paths. */
const CHALLENGE = /^\/\.well-known\/acme-challenge\/[\w-]+$/
const HTTPS = 443

/** Redirects plain HTTP requests to https, except for requests to health endpoints and ACME challenges, which are answered here. */
export class HttpsRedirect implements Redirect {
  private readonly port: () => number
  private readonly health: ReadonlySet<string>

  /** `port` returns the port that clients use for https, once it is known. */
  constructor(port: () => number, endpoints: Endpoints) {
    this.port = port
    this.health = new Set(ownPaths(endpoints).flatMap(({ endpoint, path }) => (endpoint === 'health' ? [path] : [])))
  }

  /** Null for requests to be handled without a redirect. Throws GatewayError 'bad-request' if there is no host. */
  replyTo({ client, host, path, query }: RequestFacts): Reply | null {
    // A trusted proxy may state that the client is using TLS.
    if (client.scheme === 'https' || CHALLENGE.test(path) || this.health.has(path)) return null
    const requestedHost = client.host ?? host
    if (requestedHost === '') throw new GatewayError('bad-request', 'Use https, and send a Host field.')
    const port = this.port()
    const authority = requestedHost.replace(/:\d*$/, '') + (port === HTTPS ? '' : `:${port}`)
    const location = `https://${authority}${path === '*' ? '/' : path}${query}`
    return new Reply(308, Headers.of([['Location', location]]), null)
  }
}
