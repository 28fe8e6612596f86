import type { FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../core/errors.ts'
import type { AdminApp } from './app.ts'
import { type ConsoleFile, loadConsole } from './console-files.ts'

/** The path of the console and all its files. */
export const HOME = '/console/'

/** Everything comes from this origin, and no script turns text into markup (Trusted Types). */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "require-trusted-types-for 'script'",
].join('; ')

/**
 * Whether a request is for a file of the console. The files are the same for everyone and hold no secret: if there is a token, the console
 * asks the user for it and sends it with its requests to the admin API.
 */
export function isOfConsole(method: string, url: string): boolean {
  return (method === 'GET' || method === 'HEAD') && (url.startsWith(HOME) || url === '/console')
}

/** GET /console/: the pages for operators and their files. */
export function consolePages(app: AdminApp): void {
  const { page, files } = loadConsole(HOME)
  app.get('/console', { schema: { hide: true } }, (_, reply) => reply.redirect(HOME, 308))
  app.get('/console/*', { schema: { hide: true } }, (request, reply) => {
    const name = request.url.slice(HOME.length).split('?', 1)[0] ?? ''
    const file = files.get(name)
    if (file !== undefined) return answer(file, request, reply)
    // Every other path is a place in the console; a path that looks like a file does not exist.
    if (/\.(?:js|css|svg|map)$/.test(name)) throw new GatewayError('not-found', `The console has no file ${name}.`)
    return answer(page, request, reply)
  })
}

function answer({ content, type, etag }: ConsoleFile, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.headers({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache', ETag: etag })
  if (headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type(type).send(content)
}
