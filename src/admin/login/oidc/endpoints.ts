import { hostname } from 'node:os'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { publicUrlOf } from '../../../config/admin-schema.ts'
import { asGatewayError, GatewayError } from '../../../core/errors.ts'
import type { AdminApp } from '../../app.ts'
import { HOME } from '../../console.ts'
import type { AdminContext } from '../../context.ts'
import type { Attempts } from '../attempts.ts'
import { browserCookie, browserIn, sessionCookie, sessionIn } from '../cookie.ts'
import type { LoginTools } from '../tools.ts'
import { TIMEOUT, randomText } from './pending-logins.ts'
import type { Known } from './provider-logins.ts'
import { REFUSAL_POLICY, refusalPage, type RefusalPage } from './refusal-page.ts'

/** Where a login at the provider begins, and where it comes back to. */
export const PROVIDER_LOGIN = '/login/oidc'
export const CALLBACK = '/login/oidc/callback'

/** Characters of the place in the console that somebody comes back to, at most. */
const TARGET_LENGTH = 2000
/** What the provider says of somebody that is shown to them, at most. */
const SHOWN = 20

const wanted = z.strictObject({
  return: z.string().default(HOME).describe('Path in the console to return to.'),
})

/** What the console is told of a login that it has begun. */
export const begun = z.object({ url: z.string().describe('Where to send the browser.') })

/** What browsers know the listener as, for a request that came with that scheme. */
export function originOf({ headers }: FastifyRequest, scheme: string): string {
  return `${scheme}://${headers.host ?? ''}`
}

/** POST /login/oidc begins a login at the provider, and GET /login/oidc/callback ends it. */
export function providerEndpoints(
  app: AdminApp,
  { config, log }: AdminContext,
  { sessions, provider, places }: LoginTools,
  attempts: Attempts,
): void {
  /** What the console is known as. Throws GatewayError 'conflict' for a request by another name, to which no login would come back. */
  function ownOrigin(request: FastifyRequest, scheme: string): string {
    const { admin } = config()
    const url = admin === false ? null : publicUrlOf(admin, hostname())
    if (url === null) return originOf(request, scheme)
    if (new URL(url).host === request.headers.host) return url
    throw new GatewayError('conflict', `Logins at the provider return to ${url}: open the console there.`)
  }

  app.post(
    PROVIDER_LOGIN,
    {
      config: { role: 'viewer', readsOnly: true },
      schema: {
        summary: 'Begin a login at the OpenID provider',
        description:
          'The answer contains the URL for the browser, and sets the cookie that it must return with within 10 minutes. Counts as a login attempt.',
        tags: ['login'],
        body: wanted,
        response: { 200: begun },
      },
    },
    async (request, reply) => {
      const { address, scheme } = places.of(request)
      const isSecure = scheme === 'https'
      attempts.take(address, null)
      // One for all tabs of a browser.
      const browser = browserIn(request.headers.cookie, isSecure) || randomText()
      const url = await provider.begin(browser, ownOrigin(request, scheme) + CALLBACK, targetOf(request.body.return))
      void reply.header('Set-Cookie', browserCookie(browser, isSecure, TIMEOUT / 1000))
      return { url }
    },
  )

  app.get(
    CALLBACK,
    {
      schema: {
        summary: 'The URL to which the OpenID provider returns browsers',
        description:
          'Sets the session cookie and redirects to the console, or returns a page with the reason for the failure.',
        tags: ['login'],
      },
    },
    async (request, reply) => {
      const { address, scheme } = places.of(request)
      const { cookie } = request.headers
      const isSecure = scheme === 'https'
      const query = request.url.split('?', 2)[1] ?? ''
      try {
        const { who, target } = await provider.finish(browserIn(cookie, isSecure), query)
        const { name, subject, loggedIn } = who
        const said = { operator: name, subject, address }
        if (loggedIn === null) {
          log.warn(said, 'A login was refused: no role is mapped to what the provider reports')
          return answer(reply, 403, await strangerPage(who, request, scheme))
        }
        sessions.end(sessionIn(cookie, isSecure))
        void reply.header('Set-Cookie', sessionCookie(sessions.begin(loggedIn), isSecure))
        log.info({ ...said, role: loggedIn.role }, 'An operator has logged in')
        return await reply.redirect(target, 303)
      } catch (thrown) {
        const error = asGatewayError(thrown)
        if (error.code === 'internal-error') throw error
        // Anybody may send what nobody has begun, as often as they like.
        const isBegun = error.cause !== undefined
        log[isBegun ? 'warn' : 'debug']({ address, error }, 'A login at the provider was refused')
        const links = [[HOME, 'Back to the console, to log in again']] as const
        return answer(reply, error.status, { title: 'You are not logged in', said: [error.message], links })
      }
    },
  )

  /** For somebody whom the provider knows, and the gateway gives no role. */
  async function strangerPage({ name, said }: Known, request: FastifyRequest, scheme: string): Promise<RefusalPage> {
    const leave = await provider.leave(originOf(request, scheme) + HOME)
    const shown = said.slice(0, SHOWN).join(', ') + (said.length > SHOWN ? ', …' : '')
    return {
      title: `You are ${name} and have no role here`,
      said: [
        `${provider.host} knows you, but no role in this gateway is mapped to what it reports about you.`,
        said.length === 0 ? 'It reports nothing of the kind.' : `It reports: ${shown}.`,
        'Ask the operators of the gateway for a role: admin.oidc.roles assigns them.',
      ],
      links: [
        [HOME, 'Back to the console, to log in another way'],
        ...(leave === null ? [] : [[leave, `Log out at ${provider.host}, to log in as someone else`] as const]),
      ],
    }
  }
}

/** A page of the console; the console itself for whatever leads elsewhere. */
function targetOf(path: string): string {
  return path.length <= TARGET_LENGTH && path.startsWith(HOME) && /^[\x21-\x5b\x5d-\x7e]+$/.test(path) ? path : HOME
}

function answer(reply: FastifyReply, status: number, page: RefusalPage): FastifyReply {
  return reply
    .code(status)
    .header('Content-Security-Policy', REFUSAL_POLICY)
    .type('text/html; charset=utf-8')
    .serializer(String)
    .send(refusalPage(page))
}
