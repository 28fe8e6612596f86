import { GatewayError } from '../../../core/errors.ts'
import type { Exchange } from '../../../http/exchange.ts'
import { editReplies } from '../../../http/handler.ts'
import { Headers } from '../../../http/headers.ts'
import { Reply } from '../../../http/reply.ts'
import { targetedFields } from '../../../http/targeted-fields.ts'
import { compileOrigins } from '../../origins.ts'
import { isForeign } from '../foreign.ts'
import { defineAuthMethod } from '../method.ts'
import { BrowserSessions } from './browser-sessions.ts'
import { OwnCookie } from './cookies.ts'
import { Logins, originOf } from './login.ts'
import { oidcOptions } from './options.ts'
import { Provider } from '../../../openid/provider.ts'
import { takeTurns } from './refresh-turns.ts'
import { isNavigation, ownTarget } from './targets.ts'

/** Most logins per thread that may wait for the provider at the same time. */
const MAX_LOGINS = 64

/** Browser users who log in at an OpenID provider; their session is in an encrypted cookie. */
export const oidc = defineAuthMethod({
  name: 'oidc',
  kind: 'session',
  summary: 'Browser users, who log in at an OpenID provider; their session is kept in an encrypted cookie.',
  options: oidcOptions,
  document: ({ cookie, paths }) => [
    {
      name: 'session',
      scheme: {
        type: 'apiKey',
        in: 'cookie',
        name: `__Host-${cookie}`,
        description: `A browser session, which begins with a login at ${paths.login}.`,
      },
    },
  ],
  fields: () => ['Sec-Fetch-Mode', 'X-Requested-With', 'Accept'],
  secretFields: () => [],
  create(options, { clock, log, threads, dry }) {
    const { paths, afterLogout } = options
    const tools = { clock, log, threads }
    const provider = new Provider(options, tools, dry)
    const loginCookie = new OwnCookie(`${options.cookie}-login`)
    const sessions = new BrowserSessions(options, provider, takeTurns(threads, provider.longestRefresh), tools)
    const logins = new Logins(options, provider, loginCookie, clock)
    const trusts = compileOrigins(options.trustedOrigins)
    let waiting = 0

    async function begin(exchange: Exchange, target: string): Promise<Reply> {
      const { url, cookie } = await logins.begin(exchange, target)
      return redirect(302, url, [cookie])
    }

    async function login(exchange: Exchange): Promise<Reply> {
      allowOnly(exchange, 'GET')
      const target = ownTarget(new URLSearchParams(exchange.query).get('return'))
      const session = sessions.find(exchange)
      logins.note(exchange)
      if (session === null || !(await sessions.isValid(exchange, session))) return begin(exchange, target)
      const cookie = sessions.renewed(exchange)
      return redirect(302, target, cookie === null ? [] : [cookie])
    }

    async function callback(exchange: Exchange, check: ((exchange: Exchange) => void) | undefined): Promise<Reply> {
      allowOnly(exchange, 'GET')
      check?.(exchange)
      if (waiting >= MAX_LOGINS)
        throw new GatewayError('service-unavailable', 'Too many users log in at the same time; try again soon.', {
          headers: [['Retry-After', '1']],
        })
      waiting++
      try {
        const finished = logins.finish(exchange)
        // The authorization code must not appear in the log.
        exchange.query = ''
        const { grant, target } = await finished
        return redirect(302, target, [sessions.begin(exchange, grant)])
      } finally {
        waiting--
      }
    }

    async function logout(exchange: Exchange): Promise<Reply> {
      allowOnly(exchange, 'POST')
      if (isForeign(exchange, trusts))
        throw new GatewayError('forbidden', 'Pages of other sites may not log the user out.')
      const cookies = [sessions.end(exchange), loginCookie.set(exchange, '', 0)]
      const isPage = exchange.headers.get('Sec-Fetch-Mode') === 'navigate'
      if (!isPage) return new Reply(204, Headers.of(fieldsOf(cookies)), null)
      const back = originOf(exchange, options) + afterLogout
      return redirect(303, (await provider.endSessionUrl({ post_logout_redirect_uri: back })) ?? afterLogout, cookies)
    }

    function conceal({ headers }: Exchange): void {
      sessions.conceal(headers)
      loginCookie.drop(headers)
    }

    return {
      answer(exchange, check) {
        if (exchange.path === paths.callback) return callback(exchange, check)
        if (exchange.path === paths.login) return login(exchange)
        return exchange.path === paths.logout ? logout(exchange) : null
      },
      authenticate(exchange) {
        const session = sessions.find(exchange)
        // Browsers send the cookie for pages of other sites too.
        const identity = session === null || isForeign(exchange, trusts) ? null : sessions.identify(exchange, session)
        if (identity === null || identity instanceof Promise) logins.note(exchange)
        return identity
      },
      invite: (exchange) => (isNavigation(exchange) ? begin(exchange, exchange.target ?? '/') : null),
      conceal,
      around(next) {
        const edited = editReplies(next, ({ headers }, exchange) => {
          const cookie = sessions.renewed(exchange)
          if (cookie === null) return
          headers.append('Set-Cookie', cookie)
          // No cache on the way may serve it to someone else.
          for (const name of ['Cache-Control', ...targetedFields(headers)]) headers.set(name, 'no-store')
        })
        return (exchange) => edited(exchange, undefined)
      },
    }
  },
})

function allowOnly({ method }: Exchange, allowed: string): void {
  if (method === allowed) return
  throw new GatewayError('method-not-allowed', `Only ${allowed} is allowed here.`, { headers: [['Allow', allowed]] })
}

function redirect(status: number, location: string, cookies: readonly string[] = []): Reply {
  return new Reply(status, Headers.of([['Location', location], ...fieldsOf(cookies)]), null)
}

function fieldsOf(cookies: readonly string[]): [string, string][] {
  return [['Cache-Control', 'no-store'], ...cookies.map((cookie): [string, string] => ['Set-Cookie', cookie])]
}
