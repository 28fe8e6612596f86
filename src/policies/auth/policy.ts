import { z } from 'zod'
import { retryAfter } from '../policy-docs.ts'
import { definePolicy } from '../policy.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { appendLines } from '../../http/headers.ts'
import { compose, type Handler } from '../../http/handler.ts'
import type { Reply } from '../../http/reply.ts'
import { pathPattern } from '../../routing/pattern-schema.ts'
import { FailureLimit, failureStates } from '../rate-limit/failure-limit.ts'
import { rates } from '../rate-limit/rate.ts'
import { AbsenceCounts, type AuthCounts } from './auth-counts.ts'
import { authenticatorsOf, identifiedBy } from './authenticators.ts'
import { countRefusals } from './count-refusals.ts'
import { CredentialError } from './credential-error.ts'
import { bearerToken } from './credentials.ts'
import type { Allows, ProofOptions } from './identify.ts'
import type { Identity } from './identity.ts'
import { activeMethods, methodsSchema } from './index.ts'
import type { CredentialKind } from './method.ts'
import { PublicPaths } from './public-paths.ts'
import { Refusals } from './refusals.ts'
import { Turns } from './turns.ts'
import { RefusedElsewhere } from './refused-elsewhere.ts'
import {
  compileRequirement,
  fieldsOfRules,
  requirement,
  type Requires,
  requiresAnything,
  warningsOfRules,
} from './requirement.ts'

/** Kinds of credentials that no service may see. */
const CONCEALED: ReadonlySet<CredentialKind> = new Set(['key', 'password', 'session'])

/** Errors that end a request even on a public path: a fault of the gateway, or an interruption of the body that had to be read. */
const FINAL: ReadonlySet<string> = new Set<ErrorCode>([
  'internal-error',
  'content-too-large',
  'too-busy',
  'request-timeout',
])

/** The values for an unknown caller. */
const NOBODY = { id: '', roles: [], scopes: [], tier: '', key: null, claims: {} }

/** Identifies the caller, and refuses everyone else. */
export const auth = definePolicy({
  name: 'auth',
  summary:
    'Identifies callers by a token, an API key, a password, a signature of the request, a browser session, a client certificate or another service, tells the service who they are, and refuses everyone else.',
  services: [
    ['methods', '*', 'service'],
    ['methods', '*', 'introspection', 'service'],
    ['methods', '*', 'issuers', '*', 'introspection', 'service'],
  ],
  stores: [{ path: ['methods', 'api-key', 'store'], instead: 'configuration' }],
  certificates: [
    ['methods', '*', 'ca'],
    ['methods', '*', 'introspection', 'ca'],
    ['methods', '*', 'issuers', '*', 'ca'],
    ['methods', '*', 'issuers', '*', 'introspection', 'ca'],
  ],
  options: z.strictObject({
    methods: methodsSchema.describe(
      "Accepted credentials; the first method that recognizes the request's credentials decides.",
    ),
    public: pathPattern
      .array()
      .default([])
      .describe('Paths, as in a route, that need no credentials. Valid credentials still count; others are ignored.')
      .meta({ examples: [['/login', '/public/*']] }),
    require: requirement
      .prefault({})
      .describe('Requirements on the caller. A route with requirements is never public.'),
    failures: rates
      .prefault('60/m')
      .describe(
        'Failed attempts allowed per address; beyond that no credentials are verified, and the reply is 429. Tokens already verified keep working. A rate, a list of rates, or false for no limit. Default 60/m.',
      ),
    refusals: rates
      .prefault(false)
      .describe(
        'Replies with 401 or 403 allowed per address, from the gateway or the service; beyond that every request gets 429. For logins and the like. A rate, a list of rates, or false for no limit. Default none.',
      ),
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, 'expected printable ASCII without quotes and backslashes')
      .default('sallyport')
      .describe('Realm in WWW-Authenticate. Default sallyport.'),
    forwardToken: z
      .boolean()
      .default(true)
      .describe('Forward the token to the service. API keys and passwords are never forwarded. Default true.'),
  }),
  document({ methods, public: open, require, failures, refusals, realm }, { path, method }) {
    const isRequired = requiresAnything(require)
    if (!isRequired && new PublicPaths(open).has(path, method)) return { proofs: [] }
    const proofs = new Map(
      activeMethods(methods)
        .flatMap(([each, options]) => each.document(options))
        .toReversed()
        .map((proof) => [proof.name, proof]),
    )
    const challenge = {
      name: 'WWW-Authenticate',
      description: 'Which credentials are accepted.',
      example: `Bearer realm="${realm}"`,
    }
    return {
      proofs: [...proofs.values()].toReversed(),
      roles: require.roles,
      scopes: require.scopes,
      refusals: [
        { code: 'unauthorized', description: 'The credentials are missing or invalid.', fields: [challenge] },
        ...(isRequired
          ? [
              {
                code: 'forbidden',
                description: 'The caller lacks a role or a scope, or a rule does not allow this.',
              } as const,
            ]
          : []),
        ...(failures.length + refusals.length > 0
          ? [{ code: 'rate-limited', description: 'Too many invalid credentials.', fields: [retryAfter] } as const]
          : []),
      ],
    }
  },
  fields: ({ methods, require }) => [
    ...activeMethods(methods).flatMap(([method, options]) => method.fields?.(options) ?? []),
    ...fieldsOfRules(require),
    'Sec-Fetch-Site',
  ],
  decidesBy: () => 'facts',
  secretFields: ({ methods }) =>
    activeMethods(methods).flatMap(
      ([method, options]) => method.secretFields?.(options) ?? method.fields?.(options) ?? [],
    ),
  secretParameters: ({ methods }) =>
    activeMethods(methods).flatMap(([method, options]) => method.secretParameters?.(options) ?? []),
  warnings: ({ require }, patterns) => warningsOfRules(require, patterns),
  keeps: ({ failures, refusals }) => [failureStates('failures', failures), failureStates('refusals', refusals)],
  // What the policy does for requests that match no route does not depend on the route.
  isShared: () => true,
  create(options, toolbox, route) {
    const { identify: replayIdentity, allows } = toolbox
    const active =
      replayIdentity === undefined
        ? authenticatorsOf(options.methods, toolbox, route.id)
        : [identifiedBy(replayIdentity, options, toolbox)]
    const absence = new AbsenceCounts(toolbox.metrics)
    const ofTokens = active.find(({ kind }) => kind === 'token')?.counts ?? null
    /** The counters of the method that was tried last; read synchronously before another one is tried. */
    let lastCounts: AuthCounts | null = null
    const kinds = new Set(active.map(({ kind }) => kind))
    const readsAuthorization = active.some(({ authenticator }) => authenticator.readsAuthorization === true)
    const hides = active.some(({ authenticator }) => authenticator.redact !== undefined)
    const around = active.flatMap(({ authenticator }) => authenticator.around ?? [])
    const answering = active.filter(({ authenticator }) => authenticator.answer !== undefined)
    const inviting = active.filter(({ authenticator }) => authenticator.invite !== undefined)
    const refusals = new Refusals(kinds, options.realm)
    const failures = new FailureLimit('failures', options.failures, toolbox.limits)
    const refused =
      options.refusals.length === 0 ? null : new FailureLimit('refusals', options.refusals, toolbox.limits)
    const checkFailures = (exchange: Exchange): void => void failures.check(exchange)
    const concealed = active
      .filter(({ kind }) => CONCEALED.has(kind) || !options.forwardToken)
      .map(({ authenticator }) => authenticator)
    const requires =
      allows === undefined ? compileRequirement(options.require, toolbox) : assumedRequirement(allows, options)
    const publicPaths = requires === null ? new PublicPaths(options.public) : null

    function identify(exchange: Exchange): Identity | null | Promise<Identity> {
      for (const { authenticator, counts } of active) {
        lastCounts = counts
        const found = authenticator.authenticate(exchange, checkFailures)
        if (found !== null) return found
      }
      lastCounts = ofTokens
      if (readsAuthorization && bearerToken(exchange.headers) !== null) throw new CredentialError('kind')
      lastCounts = null
      return null
    }

    function conceal(exchange: Exchange): void {
      if (hides) for (const { authenticator } of active) authenticator.redact?.(exchange)
      for (const authenticator of concealed) authenticator.conceal(exchange)
    }

    /** Throws GatewayError 'bad-request' if it depends on how the path is read whether it is public. */
    function refuseAmbiguous(exchange: Exchange): void {
      try {
        publicPaths?.hasThatOf(exchange)
      } catch (error) {
        conceal(exchange)
        throw error
      }
    }

    /** The reply to a request that a method handles itself; null for any other request. */
    function answered(exchange: Exchange): Reply | Promise<Reply> | null {
      for (const { authenticator, counts } of answering) {
        try {
          const reply = authenticator.answer?.(exchange, checkFailures) ?? null
          if (reply instanceof Promise) return reply.catch((thrown: unknown) => failOwn(exchange, thrown, counts))
          if (reply !== null) return reply
        } catch (thrown) {
          failOwn(exchange, thrown, counts)
        }
      }
      return null
    }

    /** Counts the failure of a request that a method handles itself, and throws the error for the client. */
    function failOwn(exchange: Exchange, thrown: unknown, counts: AuthCounts): never {
      const tooMany = thrown instanceof CredentialError ? failures.count(exchange) : null
      counts.failed(tooMany ?? thrown)
      throw tooMany ?? refusals.of(thrown)
    }

    function invited(exchange: Exchange): Reply | Promise<Reply> | null {
      for (const { authenticator } of inviting) {
        const reply = authenticator.invite?.(exchange) ?? null
        if (reply !== null) return reply
      }
      return null
    }

    return (next) => {
      // Without a matching route there is nothing to protect: a 401 would only solicit credentials.
      if (route.id === '')
        return (exchange) => {
          const reply = answering.length === 0 ? null : answered(exchange)
          if (reply !== null) return reply
          conceal(exchange)
          return next(exchange)
        }

      function admit(
        exchange: Exchange,
        { consumer, lines, names, boundTo }: Identity,
        counts: AuthCounts | null,
      ): Reply | Promise<Reply> {
        // Checked every time: a token that was verified before may arrive over a different connection.
        if (boundTo !== null && exchange.client.certificate?.thumbprint !== boundTo)
          return admitNobody(exchange, new CredentialError('unbound'), counts)
        const lacking = requires === null ? null : requires(consumer ?? NOBODY, exchange)
        exchange.consumer = consumer
        if (lacking === null) counts?.accepted.add(1)
        else counts?.forbidden.add(1)
        exchange.record?.event('sallyport.auth', {
          'sallyport.auth.outcome': lacking === null ? 'accepted' : 'forbidden',
          'sallyport.auth.credential': (consumer?.key ?? null) === null ? (counts?.kind ?? 'token') : 'key',
          'sallyport.tier': consumer?.tier ?? 'anonymous',
        })
        if (lacking !== null) throw refusals.forbidden(lacking)
        // Appended rather than set: the wire layer has already removed any headers of these names sent by the client, in every
        // spelling.
        appendLines(exchange.headers, names, lines)
        return next(exchange)
      }

      function admitNobody(exchange: Exchange, error: unknown, counts: AuthCounts | null): Reply | Promise<Reply> {
        if (error instanceof RefusedElsewhere) return refuseElsewhere(exchange, error, counts)
        const hasEnded = error instanceof CredentialError && error.reason === 'session'
        // Only the gateway can have made a session that has ended: a page that keeps sending it guesses nothing.
        const tooMany = error instanceof CredentialError && !hasEnded ? failures.count(exchange) : null
        const refusal = tooMany ?? refusals.of(error)
        const passes = !FINAL.has(refusal.code) && publicPaths?.hasThatOf(exchange) === true
        if (counts === null) absence[passes ? 'open' : 'missing'].add(1)
        else counts.failed(tooMany ?? error)
        exchange.record?.event('sallyport.auth', { 'sallyport.auth.outcome': passes ? 'public' : refusal.code })
        if (passes) return next(exchange)
        const mayBegin = error === null || hasEnded
        const reply = mayBegin && inviting.length > 0 ? invited(exchange) : null
        if (reply !== null) return reply
        throw refusal
      }

      function refuseElsewhere(
        exchange: Exchange,
        error: RefusedElsewhere,
        counts: AuthCounts | null,
      ): Reply | Promise<Reply> {
        const passes = publicPaths?.hasThatOf(exchange) === true
        counts?.failed(error)
        exchange.record?.event('sallyport.auth', { 'sallyport.auth.outcome': passes ? 'public' : 'refused' })
        return passes ? next(exchange) : error.reply()
      }

      const handle: Handler = (exchange) => {
        const own = answering.length === 0 ? null : answered(exchange)
        if (own !== null) return own
        if (exchange.forms !== null) refuseAmbiguous(exchange)
        let found: Identity | null | Promise<Identity>
        let error: unknown = null
        try {
          found = identify(exchange)
        } catch (thrown) {
          found = null
          error = thrown
        }
        const counts = lastCounts
        if (concealed.length > 0 || hides) conceal(exchange)
        if (found === null) return admitNobody(exchange, error, counts)
        if (!(found instanceof Promise)) return admit(exchange, found, counts)
        return found.then(
          (identity) => admit(exchange, identity, counts),
          (thrown: unknown) => admitNobody(exchange, thrown, counts),
        )
      }
      if (refused === null) return compose(around, handle)
      const turns = Turns.of(toolbox.holder, JSON.stringify(options.refusals), toolbox.clock)
      return compose(around, countRefusals(handle, refused, turns, conceal))
    }
  },
})

function assumedRequirement(allows: Allows, options: ProofOptions): Requires | null {
  if (!requiresAnything(options.require)) return null
  return () => (allows(options) ? null : { message: 'The caller does not meet the requirements', scopes: [] })
}
