import { z } from 'zod'
import { Bytes } from '../../http/body.ts'
import type { PolicyToolbox } from '../policy.ts'
import { GatewayError } from '../../core/errors.ts'
import { Headers } from '../../http/headers.ts'
import { OutageLog } from '../../core/outage-log.ts'
import { duration } from '../../core/units.ts'
import { isFields } from '../../core/value.ts'
import type { Claims } from './claims.ts'
import { certificates } from '../../tls/pem-schema.ts'
import { createFetch } from '../../openid/fetch-text.ts'
import { httpUrl, shownUrl } from '../../openid/http-url.ts'

/** Most bytes that a reply may have. */
const LIMIT = 64 * 1024

const questionFields = {
  service: z
    .string()
    .optional()
    .describe('Service to ask, one of `services`; with `path`.')
    .meta({ examples: ['auth-service'] }),
  path: z
    .string()
    .regex(/^\/[\x21-\x7e]*$/, 'expected a path such as "/introspect"')
    .optional()
    .describe('Path of the introspection endpoint on the service.')
    .meta({ examples: ['/oauth2/introspect'] }),
  url: httpUrl
    .optional()
    .describe('URL of the introspection endpoint, instead of `service` and `path`.')
    .meta({ examples: ['https://login.example.com/oauth2/introspect'] }),
  ca: certificates
    .optional()
    .describe(
      'File with CA certificates, in PEM, to trust for `url`, instead of those of Node.js; a service has its own `tls`. Default those of Node.js.',
    )
    .meta({ examples: ['./tls/ca.pem'] }),
  credentials: z
    .strictObject({
      id: z
        .string()
        .describe('Client ID of the gateway.')
        .meta({ examples: ['sallyport'] }),
      secret: z
        .string()
        .describe('Client secret of the gateway.')
        .meta({ examples: ['${INTROSPECTION_SECRET}'] }),
    })
    .optional()
    .describe('Credentials of the gateway for the endpoint, sent by HTTP Basic authentication.'),
  timeout: duration.prefault('2s').describe('Timeout of a request. Default 2s.'),
  cache: duration
    .prefault('30s')
    .describe('How long an answer is cached; a revoked token may work for that long. Default 30s.'),
}

/** Schema of how the user service is asked about tokens that the gateway has already verified itself. */
export const checkedTokens = z
  .strictObject({
    ...questionFields,
    onUnreachable: z
      .enum(['deny', 'accept'])
      .default('deny')
      .describe(
        'When the endpoint does not answer: deny replies 503, accept relies on the signature alone. Default deny.',
      ),
  })
  .superRefine(checkTarget)

/** Schema of how the user service is asked about opaque tokens. */
export const opaqueTokens = questionFields

/** Where and how to ask. */
export interface Question {
  readonly service?: string | undefined
  readonly path?: string | undefined
  readonly url?: string | undefined
  /** PEM. */
  readonly ca?: string | undefined
  readonly credentials?: { readonly id: string; readonly secret: string } | undefined
  /** Milliseconds. */
  readonly timeout: number
}

/** Refuses options that name no target, or two. */
export function checkTarget(
  { service, path, url, ca }: Pick<Question, 'service' | 'path' | 'url' | 'ca'>,
  context: z.RefinementCtx,
): void {
  const isService = service !== undefined && path !== undefined && url === undefined
  const isUrl = service === undefined && path === undefined && url !== undefined
  if (!isService && !isUrl) context.addIssue({ code: 'custom', message: 'needs either service and path, or url' })
  const unused = isService && ca !== undefined
  if (unused)
    context.addIssue({
      code: 'custom',
      path: ['ca'],
      message: 'ca together with service: set it in the tls of the service',
      input: '[redacted]',
    })
}

/** Asks about a token. Resolves with its claims, or null if it is not active. Rejects with GatewayError if there is no reply. */
export type Introspect = (token: string) => Promise<Claims | null>

/** A client of a token introspection endpoint (RFC 7662). */
export function createIntrospector(question: Question, toolbox: PolicyToolbox): Introspect {
  const ask = createAsk(question, toolbox)
  const endpoint = shownUrl(question.url ?? `${question.service}${question.path}`)
  const outage = new OutageLog(
    { fields: { endpoint }, begins: 'Tokens cannot be introspected', ends: 'Tokens can be introspected again' },
    toolbox,
  )
  return async (token) => {
    try {
      const { status, text } = await ask(`token=${encodeURIComponent(token)}&token_type_hint=access_token`)
      if (status !== 200) throw new Error(`the endpoint returned status ${status}`)
      const answer = parseAnswer(text)
      outage.worked()
      return answer
    } catch (error) {
      outage.failed(error)
      throw new GatewayError('service-unavailable', 'The token cannot be checked at present; try again later.', {
        cause: error,
      })
    }
  }
}

function parseAnswer(text: string): Claims | null {
  const answer: unknown = JSON.parse(text)
  if (!isFields(answer) || typeof answer['active'] !== 'boolean')
    throw new Error('the response is not a token introspection response')
  return answer['active'] ? answer : null
}

type Ask = (form: string) => Promise<{ readonly status: number; readonly text: string }>

function createAsk(
  { service, path, url, ca, credentials, timeout }: Question,
  { clock, callService }: PolicyToolbox,
): Ask {
  const headers = {
    Accept: 'application/json',
    'Content-Type': 'application/x-www-form-urlencoded',
    ...(credentials !== undefined && { Authorization: basic(credentials) }),
  }
  if (url !== undefined) {
    const fetchText = createFetch(ca, clock)
    return (form) => fetchText(url, { method: 'POST', headers, body: form, timeout })
  }
  return async (form) => {
    const { status, body } = await callService(service ?? '', {
      method: 'POST',
      target: path ?? '',
      headers: Headers.of(Object.entries(headers)),
      body: Bytes.fromText(form),
      timeout,
      limit: LIMIT,
    })
    return { status, text: body.toText() }
  }
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. */
function basic({ id, secret }: { readonly id: string; readonly secret: string }): string {
  return `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
