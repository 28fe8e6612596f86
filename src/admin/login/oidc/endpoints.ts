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

/** The endpoints at which a login at the provider starts, and to which it returns. */
export const PROVIDER_LOGIN = '/login/oidc'
export const CALLBACK = '/login/oidc/callback'

/** Maximum length of the path in the console to return to, in characters. */
const TARGET_LENGTH = 2000
/** How many values of the provider's claim are shown to a user without a role. */
const SHOWN = 20

const loginRequest = z.strictObject({
  return: z.string().default(HOME).describe('Path in the console to return to.'),
})

/** The reply to POST /login/oidc. */
export const begun = z.object({ url: z.string().describe('Where to send the browser.') })

/**
 * The origin of the listener as the browser sees it, for a request with that scheme. Throws GatewayError 'bad-request' for a host that no
 * URL can have.
 */
export function originOf({ headers }: FastifyRequest, scheme: string): string {
  const url = URL.parse(`${scheme}://${headers.host ?? ''}`)
  if (url === null) throw new GatewayError('bad-request', 'The host of the request cannot be part of a URL.')
  return url.origin
}

/** POST /login/oidc starts a login at the provider, and GET /login/oidc/callback completes it. */
export function providerEndpoints(
  app: AdminApp,
  { config, log }: AdminContext,
  { sessions, provider, places }: LoginTools,
  attempts: Attempts,
): void {
  /** The origin to return to. Throws GatewayError 'conflict' if the request is for another host than `admin.publicUrl`. */
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
        body: loginRequest,
        response: { 200: begun },
      },
    },
    async (request, reply) => {
      const { address, scheme } = places.of(request)
      const isSecure = scheme === 'https'
      attempts.take(address, null)
      // Shared by all tabs of a browser.
      const browser = browserIn(request.headers.cookie, isSecure) || randomText()
      const url = await provider.begin(browser, ownOrigin(request, scheme) + CALLBACK, targetOf(request.body.return))
      void reply.header('Set-Cookie', browserCookie(browser, isSecure, TIMEOUT / 1000))
      return { url }
    },
  )

  app.get(
    CALLBACK,
    {
      config: { isUnlinked: true },
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
        const fields = { operator: name, subject, address }
        if (loggedIn === null) {
          log.warn(fields, 'A login was refused: no role is mapped to what the provider reports')
          return answer(reply, 403, await strangerPage(who, request, scheme))
        }
        sessions.end(sessionIn(cookie, isSecure))
        void reply.header('Set-Cookie', sessionCookie(sessions.begin(loggedIn), isSecure))
        log.info({ ...fields, role: loggedIn.role }, 'An operator has logged in')
        return await reply.redirect(target, 303)
      } catch (thrown) {
        const error = asGatewayError(thrown)
        if (error.code === 'internal-error') throw error
        // Anyone can send callbacks of logins that were never started, as often as they like: those are not worth a warning.
        const isBegun = error.cause !== undefined
        log[isBegun ? 'warn' : 'debug']({ address, error }, 'A login at the provider was refused')
        const links = [[HOME, 'Back to the console, to log in again']] as const
        return answer(reply, error.status, { title: 'You are not logged in', paragraphs: [error.message], links })
      }
    },
  )

  /** The page for a user whom the provider knows but who has no role in the gateway. */
  async function strangerPage({ name, values }: Known, request: FastifyRequest, scheme: string): Promise<RefusalPage> {
    const leave = await provider.leave(originOf(request, scheme) + HOME)
    const shown = values.slice(0, SHOWN).join(', ') + (values.length > SHOWN ? ', …' : '')
    return {
      title: `You are ${name} and have no role here`,
      paragraphs: [
        `${provider.host} knows you, but no role in this gateway is mapped to what it reports about you.`,
        values.length === 0 ? 'It reports nothing of the kind.' : `It reports: ${shown}.`,
        'Ask the operators of the gateway for a role: admin.oidc.roles assigns them.',
      ],
      links: [
        [HOME, 'Back to the console, to log in another way'],
        ...(leave === null ? [] : [[leave, `Log out at ${provider.host}, to log in as someone else`] as const]),
      ],
    }
  }
}

/** The path if it is in the console, otherwise the console's own. */
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
