import { hash } from 'node:crypto'
import { z } from 'zod'
import { GatewayError } from '../../core/errors.ts'
import { OutageLog } from '../../core/outage-log.ts'
import { duration, durationOrZero } from '../../core/units.ts'
import type { Consumer, Exchange } from '../../http/exchange.ts'
import { Headers, headersFromWire } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'
import { sentPath } from '../../http/path-forms.ts'
import type { ServiceReply, ServiceRequest } from '../../http/service-request.ts'
import { fieldName } from '../field-name.ts'
import { IdentityCache } from './identity-cache.ts'
import { IDENTITY_FIELDS, type Identity, identityOf } from './identity.ts'
import { defineAuthMethod } from './method.ts'
import { type Refusal, RefusedElsewhere } from './refused-elsewhere.ts'

/** Most bytes that a reply of the service may have. */
const LIMIT = 64 * 1024
/** Number of replies that each worker remembers. */
const REMEMBERED = 10_000

const sentField = fieldName.refine((name) => !/^x-forwarded-/i.test(name), {
  error: 'expected another field: the gateway sets X-Forwarded-* itself',
})
const copiedField = fieldName.refine((name) => !IDENTITY_FIELDS.has(name), {
  error: 'expected another field: the gateway sets this one from `consumer`',
})

const options = z.strictObject({
  service: z
    .string()
    .describe('Service to ask, one of `services`.')
    .meta({ examples: ['auth-service'] }),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'expected a path such as "/verify"')
    .describe('Path to request.')
    .meta({ examples: ['/verify'] }),
  mirror: z
    .boolean()
    .default(false)
    .describe(
      "Ask with the method of the request, and with its path and query appended to `path`, like Envoy's ext_authz; otherwise with GET, like Traefik's forwardAuth. Default false.",
    ),
  requestFields: sentField
    .array()
    .min(1)
    .default(['Authorization', 'Cookie', 'Accept', 'X-Requested-With'])
    .describe(
      'Request headers to pass to it, in addition to X-Forwarded-Method, -Uri, -Host, -Proto and -For. Default Authorization, Cookie, Accept, X-Requested-With.',
    ),
  copyFields: copiedField
    .array()
    .default([])
    .describe(
      'Headers of its reply to add to an admitted request. Headers of these names from the client are dropped. Default none.',
    )
    .meta({ examples: [['X-Tenant']] }),
  replyFields: fieldName
    .array()
    .default(['Content-Type', 'Location', 'Set-Cookie', 'WWW-Authenticate', 'Retry-After', 'Cache-Control'])
    .describe(
      'Headers of its reply to pass to the client when it refuses. Default Content-Type, Location, Set-Cookie, WWW-Authenticate, Retry-After, Cache-Control.',
    ),
  consumer: z
    .strictObject({
      id: fieldName.describe('Header with the ID of the consumer: X-User-ID.').meta({ examples: ['X-User-ID'] }),
      roles: fieldName
        .optional()
        .describe('Header with the roles, separated by commas. Default none.')
        .meta({ examples: ['X-User-Roles'] }),
      tier: fieldName
        .optional()
        .describe('Header with the tier. Default none: authenticated.')
        .meta({ examples: ['X-User-Tier'] }),
    })
    .optional()
    .describe(
      'Headers of its reply that describe the consumer. An admitted request without an ID is anonymous. Default none.',
    ),
  timeout: duration.prefault('2s').describe('Timeout for its whole reply. Default 2s.'),
  cache: durationOrZero
    .prefault('0s')
    .describe(
      'How long an admission is cached, for requests that would be sent to it unchanged. Default 0s: not at all.',
    ),
  onUnreachable: z
    .enum(['deny', 'accept'])
    .default('deny')
    .describe(
      'When it does not answer in time, or with 5xx: deny replies 503, accept admits requests as anonymous. Default deny.',
    ),
})

type Options = z.output<typeof options>

/** Delegates the decision to another service, which is asked over HTTP about each request. */
export const forward = defineAuthMethod({
  name: 'forward',
  kind: 'verdict',
  summary:
    'An external service decides: it gets each request, and returns who the caller is, or the reply for the client.',
  options,
  fields: ({ requestFields, copyFields }) => [...requestFields, ...copyFields],
  document: ({ requestFields: [name = 'Authorization'] }) => [
    { name: 'forward', scheme: { type: 'apiKey', in: 'header', name } },
  ],
  create(chosen, { callService, clock, log, threads }) {
    const { service, cache, onUnreachable, copyFields } = chosen
    const ask = compileQuestion(chosen)
    const admitted = compileAdmission(chosen)
    const refusal = compileRefusal(chosen)
    const remembered = cache === 0 ? null : new IdentityCache(REMEMBERED, 0, clock)
    const outage = new OutageLog(
      {
        fields: { service },
        begins: 'The authorization service does not answer',
        ends: 'The authorization service answers again',
      },
      { clock, log, threads },
    )

    async function decide(question: ServiceRequest): Promise<{ identity: Identity; lifetime: number }> {
      let reply: ServiceReply
      try {
        reply = await callService(service, question)
        if (reply.status >= 500) throw new Error(`it answered with ${reply.status}`)
      } catch (error) {
        outage.failed(error)
        if (onUnreachable === 'accept') return { identity: NOBODY, lifetime: 0 }
        throw new GatewayError('service-unavailable', 'The request cannot be authorized at present; try again later.', {
          cause: error,
        })
      }
      outage.worked()
      if (reply.status < 200 || reply.status >= 300) throw new RefusedElsewhere(refusal(reply))
      const isKept = !/\bno-(?:store|cache)\b/i.test(reply.headers.get('Cache-Control') ?? '')
      return { identity: admitted(reply.headers), lifetime: isKept ? cache : 0 }
    }

    return {
      authenticate(exchange, checkFailures) {
        const question = ask(exchange)
        if (remembered === null) {
          checkFailures?.(exchange)
          return decide(question).then(({ identity }) => identity)
        }
        const text = `${question.method} ${question.target} ${question.headers.toWire()}`
        const digest = hash('sha256', text, 'base64url')
        const found = remembered.find(digest)
        if (found !== null) return found
        checkFailures?.(exchange)
        return remembered.resolve(digest, async () => ({ ...(await decide(question)), expires: Infinity }))
      },
      // Only the service may set these headers, not the client.
      ...(copyFields.length > 0 && {
        redact({ headers }: Exchange) {
          for (const name of copyFields) headers.delete(name)
        },
      }),
      conceal() {},
    }
  },
})

const NOBODY: Identity = { consumer: null, lines: '', names: IDENTITY_FIELDS, boundTo: null }

function compileQuestion(chosen: Options): (exchange: Exchange) => ServiceRequest {
  const { path, mirror, requestFields, timeout } = chosen
  return (exchange) => {
    const { method, headers, client, host, query } = exchange
    const target = sentPath(exchange) + query
    const sent = headersFromWire(client.forwardingFields(host))
    sent.set('X-Forwarded-Method', method)
    sent.set('X-Forwarded-Uri', target)
    for (const name of requestFields) for (const value of headers.getAll(name)) sent.append(name, value)
    const requestLine = mirror ? { method, target: path.replace(/\/$/, '') + target } : { method: 'GET', target: path }
    return { ...requestLine, headers: sent, body: null, timeout, limit: LIMIT }
  }
}

function compileAdmission({ copyFields, consumer }: Options): (reply: Headers) => Identity {
  const names =
    copyFields.length === 0 ? IDENTITY_FIELDS : (IDENTITY_FIELDS.with(new NameSet(copyFields)) ?? IDENTITY_FIELDS)
  return (reply) => {
    const copied = Headers.of(copyFields.flatMap((name) => reply.getAll(name).map((value) => [name, value] as const)))
    const found = consumer === undefined ? null : consumerOf(reply, consumer)
    const lines = `${found === null ? '' : identityOf(found).lines}${copied.toWire()}`
    return { consumer: found, lines, names, boundTo: null }
  }
}

function consumerOf(reply: Headers, { id, roles, tier }: NonNullable<Options['consumer']>): Consumer | null {
  const name = reply.single(id)
  if (name === undefined || name === null || name === '') return null
  const list = roles === undefined ? [] : (reply.get(roles) ?? '').split(',').map((role) => role.trim())
  const tierValue = tier === undefined ? undefined : reply.single(tier)
  return {
    id: name,
    roles: list.filter((role) => role !== ''),
    scopes: [],
    tier: tierValue || 'authenticated',
    key: null,
    claims: {},
  }
}

function compileRefusal({ replyFields }: Options): (reply: ServiceReply) => Refusal {
  return ({ status, headers, body }) => {
    const fields = Headers.of(
      replyFields.flatMap((name) => headers.getAll(name).map((value) => [name, value] as const)),
    )
    // The reply is meant for one client and must not be cached for others.
    if (!fields.has('Cache-Control')) fields.set('Cache-Control', 'no-store')
    return { status, headers: fields, body: status === 304 ? null : body }
  }
}
