import { z } from 'zod'
import { MAX_TOKEN_LENGTH } from '../../config/admin-schema.ts'
import { GatewayError } from '../../core/errors.ts'
import { operatorProofs } from '../../core/operator-proof.ts'
import { operatorRoles } from '../../core/operator-role.ts'
import { MAX_PASSWORD_LENGTH } from '../../core/password-digest.ts'
import { PasswordQueue } from '../../core/password-queue.ts'
import type { AdminApp } from '../app.ts'
import { HOME } from '../console.ts'
import type { AdminContext } from '../context.ts'
import { Attempts } from './attempts.ts'
import { type Caller, callerFields } from './caller.ts'
import { noSession, sessionCookie, sessionIn } from './cookie.ts'
import { CALLBACK, originOf, PROVIDER_LOGIN, providerEndpoints } from './oidc/endpoints.ts'
import type { LoggedIn } from './sessions.ts'
import type { LoginTools } from './tools.ts'

/** Maximum length of a name, in characters. */
const NAME_LENGTH = 256

/** RFC 9110 section 11.6.1: a reply with 401 names a challenge. */
const CHALLENGE = { headers: [['WWW-Authenticate', 'Bearer realm="sallyport-admin"']] } as const

const PATHS = new Set(['/login', '/logout', '/session', PROVIDER_LOGIN, CALLBACK])

const passwordProof = z.strictObject({
  name: z.string().min(1).max(NAME_LENGTH),
  password: secret(MAX_PASSWORD_LENGTH),
})
const tokenProof = z.strictObject({ token: secret(MAX_TOKEN_LENGTH) })

/** Who the caller is, and how people can log in. */
export const loginState = z.object({
  name: z
    .string()
    .nullable()
    .describe('Name of the user; null for the token, on this machine, and if nobody is logged in.'),
  role: z.enum(operatorRoles).nullable().describe('What the caller may do; null for nothing.'),
  by: z
    .enum(operatorProofs)
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

export const loggedOut = loginState.extend({
  leave: z
    .string()
    .nullable()
    .describe('Where the browser can end its session at the OpenID provider too; null if there is none.'),
})

/** Whether a request is for an endpoint that is available before login. */
export function isOfLogin(url: string): boolean {
  return PATHS.has(url.split('?', 1)[0] ?? '')
}

/** POST /login and /logout, GET /session, and the endpoints for logins at a provider. */
export function loginEndpoints(app: AdminApp, context: AdminContext, tools: LoginTools): void {
  const { clock, log } = context
  const { sessions, users, token, provider, places } = tools
  const attempts = new Attempts(clock)
  const turns = new PasswordQueue()

  function stateOf(caller: Pick<Caller, 'name' | 'role' | 'by'> | null): z.input<typeof loginState> {
    return {
      name: caller?.name ?? null,
      role: caller?.role ?? null,
      by: caller?.by ?? null,
      users: users.current !== null,
      provider: provider.host,
      token: token.isSet,
    }
  }

  /** Throws GatewayError 'conflict', 'rate-limited' or 'unauthorized'. */
  function withToken(text: string, address: string): LoggedIn {
    if (!token.isSet) throw new GatewayError('conflict', 'This gateway has no token: set ADMIN_TOKEN or admin.token.')
    const tried = { operator: null, by: 'token', address }
    limitAttempts(tried, null)
    if (token.matches(text)) return token.loggedIn
    log.warn(tried, 'A login was refused: the token is wrong')
    throw new GatewayError('unauthorized', 'The token is wrong.', CHALLENGE)
  }

  /** Rejects with the same errors. */
  async function withPassword(body: z.output<typeof passwordProof>, address: string): Promise<LoggedIn> {
    const { current } = users
    if (current === null)
      throw new GatewayError('conflict', 'This gateway has no users: list them under admin.users, or use its token.')
    const name = body.name.normalize('NFC')
    // A name that does not exist is not logged: it may be a password that was typed into the wrong field.
    const tried = { operator: current.find(name)?.name ?? null, address }
    limitAttempts(tried, name)
    const proved = await turns.take(address, () => current.verify(name, body.password))
    if (proved !== null) return users.loggedIn(proved)
    log.warn(tried, 'A login was refused: the name or the password is wrong')
    throw new GatewayError('unauthorized', 'The name or the password is wrong.', CHALLENGE)
  }

  function limitAttempts(tried: { readonly address: string }, name: string | null): void {
    try {
      attempts.take(tried.address, name)
    } catch (error) {
      log.debug(tried, 'A login was refused: too many attempts')
      throw error
    }
  }

  app.get(
    '/session',
    {
      schema: {
        summary: 'Who the caller is, and what they may do',
        description: 'Also answers callers who are not logged in.',
        tags: ['login'],
        response: { 200: loginState },
      },
    },
    ({ operator }) => stateOf(operator),
  )

  app.post(
    '/login',
    {
      config: { role: 'viewer', readsOnly: true },
      schema: {
        summary: 'Log in with name and password, or with the token',
        description:
          'The answer sets a cookie for the session. At most 10 attempts a minute per address and per name; beyond that 429 with Retry-After.',
        tags: ['login'],
        body: z.union([passwordProof, tokenProof]),
        response: { 200: loginState },
      },
    },
    async (request, reply) => {
      const { body } = request
      const { address, scheme } = places.of(request)
      const isSecure = scheme === 'https'
      const user = 'token' in body ? withToken(body.token, address) : await withPassword(body, address)
      // Always a new ID, so that nobody who has planted one in this browser knows it (session fixation).
      sessions.end(sessionIn(request.headers.cookie, isSecure))
      void reply.header('Set-Cookie', sessionCookie(sessions.begin(user), isSecure))
      log.info({ operator: user.name, by: user.by, address, role: user.role }, 'An operator has logged in')
      return stateOf(user)
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
      const session = sessionIn(request.headers.cookie, isSecure)
      const wasLoggedIn = sessions.has(session)
      sessions.end(session)
      void reply.header('Set-Cookie', noSession(isSecure))
      if (wasLoggedIn) log.info({ ...callerFields(operator), address }, 'An operator has logged out')
      const leave = operator?.by === 'oidc' ? await provider.leave(originOf(request, scheme) + HOME) : null
      return { ...stateOf(null), leave }
    },
  )

  providerEndpoints(app, context, tools, attempts)
}

/** Text that an error does not quote. */
function secret(most: number): z.ZodString {
  const message = `expected 1 to ${most} characters`
  return z.string().superRefine((text, context) => {
    if (text === '' || text.length > most) context.addIssue({ code: 'custom', message, input: '[redacted]' })
  })
}
