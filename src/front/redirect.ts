import type { RouteConfig } from '../config/schema.ts'
import type { Handler } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { parsePattern } from '../routing/pattern.ts'
import { compileRedirect, parseRedirect } from '../routing/redirect.ts'

/** Handler of a redirect, for requests matching that pattern of the route. */
export function createRedirect(
  { to, status, query }: NonNullable<RouteConfig['redirect']>,
  pattern: string,
  paths: readonly string[],
): Handler {
  const location = compileRedirect(parseRedirect(to, paths.map(parsePattern)), parsePattern(pattern), query)
  return ({ client, host, path, query: requestQuery, params }) =>
    new Reply(
      status,
      Headers.of([
        ['Location', location({ scheme: client.scheme, host: client.host ?? host, path, query: requestQuery, params })],
      ]),
      null,
    )
}
