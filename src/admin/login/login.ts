import { z } from 'zod'
import { GatewayError } from '../../core/errors.ts'
import { operatorRoles } from '../../core/operator-role.ts'
import { PasswordQueue } from '../../core/password-queue.ts'
import type { AdminApp } from '../app.ts'
import { HOME } from '../console.ts'
import type { AdminContext } from '../context.ts'
import { Attempts } from './attempts.ts'
import { type Caller, callerFields, proofs } from './caller.ts'
import { noSession, sessionCookie, sessionIn } from './cookie.ts'
import { CALLBACK, originOf, PROVIDER_LOGIN, providerEndpoints } from './oidc/endpoints.ts'
import type { LoginTools } from './tools.ts'

/** Characters of what is sent, at most. */
const NAME_LENGTH = 256
const PASSWORD_LENGTH = 1024

const PATHS = new Set(['/login', '/logout', '/session', PROVIDER_LOGIN, CALLBACK])

const credentials = z.strictObject({
  name: z.string().min(1).max(NAME_LENGTH),
  password: z.string().min(1).max(PASSWORD_LENGTH),
})

/** Who asks, and how somebody may prove who they are. */
export const told = z.object({
  name: z
    .string()
    .nullable()
    .describe('Name of the user; null for the token, on this machine, and where nobody is logged in.'),
  role: z.enum(operatorRoles).nullable().describe('What the caller may do; null for nothing.'),
  by: z
    .enum(proofs)
    .nullable()
    .describe(
      'How the caller was identified: session for a user with a password, oidc for a user of the provider, machine if no login is required.',
    ),
  users: z.boolean().describe('Whether users can log in (admin.users).'),
  provider: z
    .string()
    .nullable()
    .describe('Host of the OpenID provider at which users can log in (admin.oidc); null for none.'),
  token: z.boolean().describe('Whether a token is accepted (ADMIN_TOKEN or admin.token).'),
})

export const loggedOut = told.extend({
  leave: z
    .string()
    .nullable()
    .describe('Where the browser can end its session at the OpenID provider too; null if there is none.'),
})

/** Whether a request is for what is there for those who are not logged in yet. */
export function isOfLogin(url: string): boolean {
  return PATHS.has(url.split('?', 1)[0] ?? '')
}

/** POST /login and /logout, GET /session, and what is there for logins at a provider: people in browsers. */
export function loginEndpoints(app: AdminApp, context: AdminContext, tools: LoginTools): void {
  const { config, clock, log } = context
  const { sessions, users, provider, places } = tools
  const attempts = new Attempts(clock)
  const turns = new PasswordQueue()

  function tell(caller: Pick<Caller, 'name' | 'role' | 'by'> | null): z.input<typeof told> {
    const { admin } = config()
    return {
      name: caller?.name ?? null,
      role: caller?.role ?? null,
      by: caller?.by ?? null,
      users: users.current !== null,
      provider: provider.host,
      token: admin !== false && admin.token !== null,
    }
  }

  app.get(
    '/session',
    {
      schema: {
        summary: 'Who the caller is, and what they may do',
        description: 'Also answers callers who are not logged in.',
        tags: ['login'],
        response: { 200: told },
      },
    },
    ({ operator }) => tell(operator),
  )

  app.post(
    '/login',
    {
      config: { role: 'viewer', readsOnly: true },
      schema: {
        summary: 'Log in with name and password',
        description:
          'The answer sets a cookie for the session. At most 10 attempts a minute per address and per name; beyond that 429 with Retry-After.',
        tags: ['login'],
        body: credentials,
        response: { 200: told },
      },
    },
    async (request, reply) => {
      const { current } = users
      if (current === null)
        throw new GatewayError('conflict', 'This gateway has no users: list them under admin.users, or use its token.')
      const { address, scheme } = places.of(request)
      const isSecure = scheme === 'https'
      const name = request.body.name.normalize('NFC')
      // Of a name that nobody has it is not said in the log: it may be a password that was typed into the wrong field.
      const user = current.find(name)
      const tried = { operator: user?.name ?? null, address }
      try {
        attempts.take(address, name)
      } catch (error) {
        log.debug(tried, 'A login was refused: too many attempts')
        throw error
      }
      const { password } = request.body
      const proved = await turns.take(address, () => current.verify(name, password))
      if (proved === null) {
        log.warn(tried, 'A login was refused: the name or the password is wrong')
        throw new GatewayError('unauthorized', 'The name or the password is wrong.', {
          headers: [['WWW-Authenticate', 'Bearer realm="sallyport-admin"']],
        })
      }
      // Always another name: whoever has put one into this browser knows that of no session.
      sessions.end(sessionIn(request.headers.cookie, isSecure))
      void reply.header('Set-Cookie', sessionCookie(sessions.begin(users.loggedIn(proved)), isSecure))
      log.info({ ...tried, role: proved.role }, 'An operator has logged in')
      return tell({ ...proved, by: 'session' })
    },
  )

  app.post(
    '/logout',
    {
      config: { role: 'viewer', readsOnly: true },
      schema: {
        summary: 'Log out, which ends the session',
        tags: ['login'],
        response: { 200: loggedOut },
      },
    },
    async (request, reply) => {
      const { operator } = request
      const { address, scheme } = places.of(request)
      const isSecure = scheme === 'https'
      sessions.end(sessionIn(request.headers.cookie, isSecure))
      void reply.header('Set-Cookie', noSession(isSecure))
      const isUser = operator?.by === 'session' || operator?.by === 'oidc'
      if (isUser) log.info({ ...callerFields(operator), address }, 'An operator has logged out')
      const leave = operator?.by === 'oidc' ? await provider.leave(originOf(request, scheme) + HOME) : null
      return { ...tell(null), leave }
    },
  )

  providerEndpoints(app, context, tools, attempts)
}
