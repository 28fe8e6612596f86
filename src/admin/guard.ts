import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../config/admin-schema.ts'
import { GatewayError } from '../core/errors.ts'
import { hasRole } from '../core/operator-role.ts'
import { type Caller, isSafe, neededRole } from './login/caller.ts'
import { sessionIn } from './login/cookie.ts'
import { hasLogins, type LoginTools } from './login/tools.ts'

/** Who may call, and what browsers may do with the replies. */
export interface GuardOptions {
  readonly login: LoginTools
  /** The host that the admin listener is bound to. */
  readonly host: string
  /** What is available without authentication: what is the same for everyone, and login. */
  readonly open: (method: string, url: string) => boolean
}

/** Names of the local machine. */
const LOCAL = ['localhost', '127.0.0.1', '[::1]']

/** Headers that proxies, including the gateway, add to requests they forward. */
const PASSED_ON =
  /^(?:via|forwarded|x-forwarded(?:-.*)?|x-original-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

/** Replies must not be stored, framed, sniffed, or used by pages of other origins. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const

/**
 * Checks every request before anything else does:
 *
 * 1. If there is a token, or people can log in, the request must carry that token (RFC 6750 section 2.1) or a session cookie, unless the
 *    endpoint is open.
 * 2. If there is neither, the Host must be one of the machine's own names, which keeps out pages whose name was made to resolve to this
 *    machine (DNS rebinding).
 * 3. In that case it must also originate on this machine: a forwarded request may come from anyone who can reach the proxy, which may even
 *    be the gateway, with a service that is this very listener.
 * 4. A request that changes something must not come from a page of another origin (cross-site request forgery).
 *
 * Stores the caller in the request. Throws GatewayError 'unauthorized', 'misdirected-request' or 'forbidden'.
 */
export function createGuard({
  host,
  open,
  login,
}: GuardOptions): (request: FastifyRequest, reply: FastifyReply) => void {
  const { sessions, places, token } = login
  const names = new Set([...LOCAL, host])
  // Even if the configuration has another address by now, others can still reach this one until a restart.
  const needsLogin = (): boolean => hasLogins(login) || !isLoopback(host)
  const machine: Caller = { name: null, subject: null, by: 'machine', role: 'admin', isValid: () => !needsLogin() }

  function callerOf(request: FastifyRequest): Caller | null {
    const { authorization, cookie } = request.headers
    // A request with a token is judged by the token alone, whatever cookies it has.
    if (authorization !== undefined) return token.matches(bearerOf(authorization)) ? token.loggedIn : null
    const session = sessionIn(cookie, places.of(request).scheme === 'https')
    const user = sessions.use(session)
    if (user === null) return null
    const { name, subject, by, role } = user
    return { name, subject, by, role, isValid: () => sessions.has(session) }
  }

  return (request, reply) => {
    const { headers, method, url } = request
    void reply.headers(HEADERS)
    const isSecured = needsLogin()
    request.operator = isSecured ? callerOf(request) : machine
    // 1.
    if (request.operator === null && !open(method, url))
      throw new GatewayError('unauthorized', adviceOf(token.isSet, hasLogins(login)), {
        headers: [['WWW-Authenticate', 'Bearer realm="sallyport-admin"']],
      })
    // 2.
    if (!isSecured && !names.has(nameOf(headers.host)))
      throw new GatewayError('misdirected-request', `Use the host ${LOCAL.join(', ')}, or set ADMIN_TOKEN.`)
    // 3.
    const passedOn = isSecured ? undefined : Object.keys(headers).find((name) => PASSED_ON.test(name))
    if (passedOn !== undefined)
      throw new GatewayError(
        'forbidden',
        `The request came through a proxy, as ${passedOn} says. Send it to the admin listener directly, or set ADMIN_TOKEN.`,
      )
    // 4.
    if (!isSafe(method)) refuseForeign(headers)
  }
}

/** Throws GatewayError 'forbidden' if the endpoint requires a role that the caller does not have; open endpoints require none. */
export function checkRole({ operator: caller, method, routeOptions }: FastifyRequest): void {
  const needed = neededRole(method, routeOptions.config)
  if (caller === null || hasRole(caller.role, needed)) return
  const who = caller.name === null ? 'this caller' : `"${caller.name}"`
  throw new GatewayError('forbidden', `This needs the role ${needed}, and ${who} has the role ${caller.role}.`)
}

function adviceOf(hasToken: boolean, isLoginPossible: boolean): string {
  if (hasToken) return 'Send the token of the admin listener: Authorization: Bearer …; or log in at /console/.'
  if (isLoginPossible)
    return 'Log in at /console/, or with POST /login. Programs need a token, and this gateway has none: start it with ADMIN_TOKEN set.'
  return 'Set ADMIN_TOKEN, and send it: Authorization: Bearer …'
}

/** A browser sends these headers with a cross-origin request only after a preflight, which is never answered. */
function refuseForeign(headers: FastifyRequest['headers']): void {
  const { origin, host, authorization, 'x-requested-with': requestedWith, 'content-type': type = '' } = headers
  if (origin !== undefined) {
    if (URL.parse(origin)?.host === host) return
    throw new GatewayError('forbidden', 'Pages of other origins may not send this request.')
  }
  if (authorization !== undefined || requestedWith !== undefined) return
  if (/^application\/json *(?:;|$)/i.test(type)) return
  throw new GatewayError('forbidden', 'Send Content-Type: application/json, or X-Requested-With with any value.')
}

function bearerOf(authorization = ''): string {
  return /^bearer +([^ ]+) *$/i.exec(authorization)?.[1] ?? ''
}

/** The host without its port. */
function nameOf(host = ''): string {
  return host.replace(/:\d*$/, '').toLowerCase()
}
