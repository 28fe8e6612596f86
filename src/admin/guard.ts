import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../core/errors.ts'

/** Who may call, and what browsers may do with the answers. */
export interface GuardOptions {
  /** What has to come as a bearer token now, or null where only this machine can call. */
  readonly token: () => string | null
  /** The address that is listened on. */
  readonly host: string
  /** What is answered without the token too, as it is the same for everybody. */
  readonly open: (method: string, url: string) => boolean
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Names by which this machine calls itself. */
const LOCAL = ['localhost', '127.0.0.1', '[::1]']

/** What proxies add to a request that they pass on, the gateway among them. */
const PASSED_ON =
  /^(?:via|forwarded|x-forwarded(?:-.*)?|x-original-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

/** Nothing of an answer may be kept, framed, guessed at, or used by pages of other origins. */
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
 * Looks at every request before anything else does:
 *
 * 1. Where there is a token, it must come with the request (RFC 6750 section 2.1), but for what is open.
 * 2. Where there is none, the request must be meant for this machine by one of its own names, which keeps out pages
 *    whose name was made to lead here (DNS rebinding).
 * 3. Then it must come from this machine itself as well: what a proxy passes on comes from whoever asks the proxy, be it
 *    the gateway, with a service that is this very listener.
 * 4. What changes something must come from no page of another origin (cross-site request forgery).
 *
 * Throws GatewayError 'unauthorized', 'misdirected-request' or 'forbidden'.
 */
export function createGuard({
  token,
  host,
  open,
}: GuardOptions): (request: FastifyRequest, reply: FastifyReply) => void {
  const names = new Set([...LOCAL, host])
  let known: { readonly token: string | null; readonly digest: Buffer | null } = { token: null, digest: null }
  return ({ headers, method, url }, reply) => {
    void reply.headers(HEADERS)
    const expected = token()
    if (expected !== known.token) known = { token: expected, digest: expected === null ? null : digestOf(expected) }
    const { digest } = known
    // 1.
    if (digest !== null && !open(method, url) && !timingSafeEqual(digestOf(bearerOf(headers.authorization)), digest))
      throw new GatewayError('unauthorized', 'Send the token of the admin listener: Authorization: Bearer …', {
        headers: [['WWW-Authenticate', 'Bearer realm="sallyport-admin"']],
      })
    // 2.
    if (digest === null && !names.has(nameOf(headers.host)))
      throw new GatewayError('misdirected-request', `Use the host ${LOCAL.join(', ')}, or set ADMIN_TOKEN.`)
    // 3.
    const passedOn = digest === null ? Object.keys(headers).find((name) => PASSED_ON.test(name)) : undefined
    if (passedOn !== undefined)
      throw new GatewayError(
        'forbidden',
        `The request came through a proxy, as ${passedOn} says. Ask the admin listener itself, or set ADMIN_TOKEN.`,
      )
    // 4.
    if (!SAFE.has(method)) refuseForeign(headers)
  }
}

/** A browser sends neither of the fields of a request of another origin without asking beforehand, which has no answer. */
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

/** Of one length, whatever the text: comparing them takes the same time for all texts. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
