import { METHODS } from 'node:http'
import { z } from 'zod'
import { filesSchema } from '../files/schema.ts'
import { isFieldValue, isToken } from '../core/field.ts'
import { duration, percent, sizeWithin } from '../core/units.ts'
import { oneOrMore } from '../core/one-or-more.ts'
import { refusalOfPattern } from '../regexp/linear.ts'
import { headerEdits } from '../policies/header-edits.ts'
import { fieldName, keyMessage } from '../policies/field-name.ts'
import { MAX_BUFFERED } from '../http/buffered-body.ts'
import { parseHostPattern } from '../routing/host.ts'
import { PatternError } from '../routing/pattern.ts'
import { pathPattern } from '../routing/pattern-schema.ts'
import { compileRewrite } from '../routing/rewrite.ts'
import { prioritySchema } from '../services/concurrency/priority.ts'
import { routeRetrySchema } from '../services/retry/index.ts'
import { splitSchema } from '../services/split/split-schema.ts'
import { routePoliciesSchema } from './policy-schema.ts'
import { nearest } from './suggest.ts'

const idExpected = 'expected a name of letters, digits, ".", "_" and "-"'
const prefixExpected = 'expected a path prefix such as "/api/v1"'
const hostExpected = 'expected a host name such as "api.example.com" or "*.example.com"'
const methodExpected = 'expected a method such as GET'
const nameExpected = 'expected a header name: letters, digits and hyphens'
const valueExpected = 'expected a header value: one line without control characters'
const rewrittenPathExpected = 'expected a path such as "/new/{id}", "/new/*" or "/v1{path}"'
const rewrittenHostExpected = 'expected a host such as "users.internal", "users.internal:8080" or "{tenant}.internal"'
const targetExpected = 'expected a path such as "/new/*" or a URL such as "https://example.com/new/{id}"'

/** A text that `parse` accepts; the PatternError that it throws becomes the problem. */
function parsedBy(parse: (text: string) => unknown, expected: string) {
  return z.string(expected).superRefine((text, context) => {
    try {
      parse(text)
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${error.message}` })
    }
  })
}

const pathPrefix = parsedBy((strip) => compileRewrite({ strip }), prefixExpected)

const host = parsedBy(parseHostPattern, hostExpected).toLowerCase()

/** Names that other gateways use for "every method". */
const ANY_METHOD = new Set(['*', 'ANY', 'ALL'])

/** Requests with these methods never reach a route. */
const NOT_OFFERED = new Set(['CONNECT', 'TRACE'])

const method = z
  .string(methodExpected)
  .toUpperCase()
  .superRefine((text, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message })
    if (ANY_METHOD.has(text)) return refuse(`${JSON.stringify(text)} is no method: leave method out for every method`)
    if (!isToken(text)) return refuse(methodExpected)
    const known = METHODS.filter((name) => !NOT_OFFERED.has(name))
    if (known.includes(text)) return
    const meant = nearest(text, known)
    refuse(
      `unknown method ${JSON.stringify(text)}; ` +
        (meant === undefined
          ? `expected one such as GET, HEAD, POST, PUT, PATCH, DELETE or QUERY`
          : `did you mean ${meant}?`),
    )
  })

const headerName = z.string(nameExpected).refine(isToken, nameExpected)

const headerValue = z.string(valueExpected).refine(isFieldValue, valueExpected)

const valueMatchExpected =
  'expected a text that the value must equal, a list of texts, { regex: … }, or true for any value'
const regexExpected = 'expected a regular expression that describes the whole value, such as "v[0-9]+"'

/** Maximum length of an expression: a longer one is too hard to read for a route. */
const MAX_REGEX_LENGTH = 1000

const regex = z
  .string(regexExpected)
  .max(MAX_REGEX_LENGTH, `expected a regular expression of at most ${MAX_REGEX_LENGTH} characters`)
  .superRefine((text, context) => {
    const refusal = refusalOfPattern(text)
    if (refusal !== null) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${refusal}` })
  })

/** The required value of a header or query parameter; `text` is the schema of each text that it may be. */
function valueMatch<Text extends z.ZodType<string>>(text: Text) {
  return z.union(
    [
      z.literal(true),
      text,
      text.array().min(1),
      z.strictObject({
        regex: regex.describe('Regular expression for the whole value.').meta({ examples: ['v[0-9]+'] }),
      }),
    ],
    valueMatchExpected,
  )
}

const matchSchema = z.strictObject({
  path: oneOrMore(pathPattern)
    .describe(
      'Path patterns: exact /a, prefix /a/* (/a itself and everything below), parameters /a/{id}/b. One, or a list.',
    )
    .meta({ examples: ['/api/v1/users/*', ['/orders/{id}', '/orders']] }),
  host: oneOrMore(host)
    .optional()
    .describe('Host names; *.example.com matches every name below it. One, or a list.')
    .meta({ examples: ['api.example.com', ['example.com', '*.example.com']] }),
  method: oneOrMore(method)
    .optional()
    .describe('Methods, such as GET. One, or a list.')
    .meta({ examples: ['GET', ['PUT', 'PATCH']] }),
  headers: z
    .record(headerName.toLowerCase(), valueMatch(headerValue))
    .optional()
    .describe('Required headers: name: value, a list of values, { regex } for the whole value, or true for any.')
    .meta({ examples: [{ 'X-Version': '2' }, { 'X-Beta': true }] }),
  query: z
    .record(z.string(), valueMatch(z.string()))
    .optional()
    .describe(
      'Required query parameters: name: value, a list of values, { regex } for the whole value, or true for any.',
    )
    .meta({ examples: [{ version: ['1', '2'] }] }),
  pathRegex: regex
    .optional()
    .describe('Regular expression that the whole normalized path must match as well, from its first slash to its end.')
    .meta({ examples: ['/users/[0-9]+'] }),
  listener: oneOrMore(z.string())
    .optional()
    .describe('Listeners, by name or, if they have none, address. One, or a list. Default all.')
    .meta({ examples: ['public', ['0.0.0.0:8000']] }),
  precedence: z
    .int()
    .min(-1000)
    .max(1000)
    .optional()
    .describe('Breaks ties between routes that are equally specific: the highest wins. Default 0.')
    .meta({ examples: [10] }),
})

const replySchema = z.strictObject({
  status: z.int().min(200).max(599).default(200).describe('Status, 200 to 599. Default 200.'),
  headers: z
    .record(fieldName, headerValue, { error: keyMessage })
    .default({})
    .describe(
      'Headers; content length and hop-by-hop headers are set by the gateway. {placeholders} as in body, percent-encoded.',
    )
    .meta({ examples: [{ 'Content-Type': 'application/json' }] }),
  body: z
    .string()
    .default('')
    .describe(
      'Body, sent as UTF-8. {name} is a path parameter, {host}, {hostname}, {port}, {path} and {scheme} are those of the request, ' +
        'escaped for plain text, JSON, HTML or XML according to Content-Type; {{name}} is literal text. Default empty.',
    )
    .meta({ examples: ['hello', '{{"id": "{id}"}}'] }),
})

const redirectSchema = z.strictObject({
  to: z
    .string(targetExpected)
    .regex(/^(?:(?:https?|\{scheme\}):\/\/[!-~]+|\/[!-~]*)$/, targetExpected)
    .describe(
      'Target, a path or a URL: {name} is a path parameter, {host}, {hostname} (without the port), {port}, {path} and {scheme} are those of the request, and a trailing "/*" is what "*" in the path matched.',
    )
    .meta({ examples: ['/new/*', 'https://example.com/new/{id}'] }),
  query: z.boolean().default(true).describe('Keep the query of the request. Default true.'),
  status: z.literal([301, 302, 303, 307, 308]).default(307).describe('301, 302, 303, 307 or 308. Default 307.'),
})

const mapReplies = z
  .boolean()
  .default(false)
  .describe('Put the prefix back into Location, Content-Location and cookie paths of replies. Default false.')

const rewrittenHost = z
  .string(rewrittenHostExpected)
  .regex(/^[A-Za-z0-9._:[\]{}-]+$/, rewrittenHostExpected)
  .describe(
    "Host for the service, instead of the service's own setting: {name} is a path parameter, {host}, {hostname} and {port} are those of the request.",
  )
  .meta({ examples: ['users.internal', '{tenant}.internal'] })

const rewriteSchema = z.union([
  z.strictObject({
    strip: pathPrefix
      .describe('Prefix to remove from the path; the service sees it in X-Forwarded-Prefix.')
      .meta({ examples: ['/api/v1'] }),
    mapReplies,
    host: rewrittenHost.optional(),
  }),
  z.strictObject({
    prefix: pathPrefix.describe('Prefix to replace.').meta({ examples: ['/api/v1'] }),
    with: pathPrefix.describe('Replacement for the prefix.').meta({ examples: ['/v1'] }),
    mapReplies,
    host: rewrittenHost.optional(),
  }),
  z.strictObject({
    path: z
      .string(rewrittenPathExpected)
      .regex(/^(?:\/|\{path\})[!"$->@-~]*$/, rewrittenPathExpected)
      .describe(
        'Path for the service: {name} is a path parameter, {path} the path itself, and a trailing "/*" is what "*" in the path matched.',
      )
      .meta({ examples: ['/new/{id}', '/v1{path}'] }),
    host: rewrittenHost.optional(),
  }),
  z.strictObject({ host: rewrittenHost }),
])

const timeoutsSchema = z.strictObject({
  response: duration.optional().describe('From the last byte of the request to the head of the reply.'),
  idle: duration.optional().describe('Longest pause within a body, or on an upgraded connection.'),
  total: duration
    .optional()
    .describe('From the request to the head of the reply, including connecting, sending and retries.'),
})

const mirrorSchema = z.strictObject({
  service: z
    .string()
    .describe('Name of the service that gets copies.')
    .meta({ examples: ['user-service-next'] }),
  share: percent.prefault('100%').describe('Share of requests to copy. Default 100%.'),
})

const partSchema = z.strictObject({
  request: headerEdits.optional().describe('Changes to the headers that this service receives.'),
  response: headerEdits.optional().describe('Changes to the headers of its replies.'),
})

const routeSplitSchema = splitSchema
  .extend({
    headers: z
      .record(z.string(), partSchema)
      .default({})
      .describe(
        'Service -> changes to headers for this service only, with the options of the policies request-headers and response-headers.',
      )
      .meta({ examples: [{ 'user-service-canary': { response: { set: { 'X-Canary': 'yes' } } } }] }),
  })
  .superRefine(({ keep, cookie, headers, services }, context) => {
    if (keep !== undefined && cookie === undefined)
      context.addIssue({ code: 'custom', path: ['keep'], message: 'keeps clients by a cookie; name one in cookie' })
    for (const name of Object.keys(headers))
      if (!Object.hasOwn(services, name))
        context.addIssue({ code: 'custom', path: ['headers', name], message: 'is none of the services of the split' })
  })

/** One client may use half of the memory for buffered bodies. */
const MAX_BUFFER_SIZE = MAX_BUFFERED / 2

/** Schema of the handling of path parameters (";x=1"). */
export const pathParameters = z.enum(['refuse', 'strip', 'keep'])

/** Schema of one route. */
export const routeSchema = z
  .strictObject({
    id: z
      .string(idExpected)
      .regex(/^[A-Za-z0-9._-]+$/, idExpected)
      .describe('Name of the route in logs and metrics; unique.')
      .meta({ examples: ['users'] }),
    match: matchSchema.describe('Requests that take the route. All conditions must match.'),
    service: z
      .string()
      .optional()
      .describe('Name of the service to forward to.')
      .meta({ examples: ['user-service'] }),
    split: routeSplitSchema.optional().describe('Divide requests between several services.'),
    mirror: oneOrMore(mirrorSchema)
      .optional()
      .describe('Services that get copies of requests; their replies are discarded. One, or a list.')
      .meta({ examples: [{ service: 'user-service-next', share: '10%' }] }),
    reply: replySchema.optional().describe('A fixed reply instead of a service.'),
    redirect: redirectSchema.optional().describe('A redirect instead of a service.'),
    files: filesSchema
      .optional()
      .describe('Serve files from a folder instead of a service: its path, or a map with root and options.')
      .meta({ examples: ['./public', { root: './public', fallback: '/index.html' }] }),
    rewrite: rewriteSchema
      .optional()
      .describe(
        'Changes path and host before the request is forwarded: { strip }, { prefix, with }, { path } or { host }.',
      ),
    encodedSlashes: z
      .boolean()
      .default(false)
      .describe(
        'Allow encoded slashes and backslashes (%2F, %5C) in paths. They are forwarded unchanged, and refused where the decoded path leads to another route. Default false.',
      ),
    pathParameters: pathParameters
      .optional()
      .describe('Path parameters, ";x=1": refuse, strip or keep. Default the general setting.'),
    timeouts: timeoutsSchema.optional().describe("Timeouts on this route, instead of the service's."),
    streaming: z
      .boolean()
      .default(false)
      .describe(
        "Both sides may send as much and pause as long as they like, as gRPC streams do: limits.body, bodyTimeout, minRate and the service's timeouts do not apply; timeouts of the route do. Default false.",
      ),
    priority: prioritySchema
      .default('normal')
      .describe(
        'What is shed first when a service or the gateway is overloaded: low first, high last: high, normal or low. Default normal.',
      ),
    retry: routeRetrySchema
      .optional()
      .describe(
        'Which requests are retried on another instance, overriding the service; false for none. What is left out is as the service says.',
      ),
    buffer: z
      .union([
        z.literal(false),
        sizeWithin(1, MAX_BUFFER_SIZE, 'expected false or a size such as "1mb", at most "32mb"'),
      ])
      .optional()
      .describe(
        'How much of a request body to buffer before the service is asked, so that a slow client holds no connection to it. Longer bodies are ' +
          'streamed from there on. false: nothing is buffered. Default 64kb, and of a body of unknown length what arrives without a pause.',
      )
      .meta({ examples: ['64kb', false] }),
    hedge: z.boolean().default(true).describe('Allow hedging on this route if the service has hedge. Default true.'),
    log: z.boolean().default(true).describe('Log requests of this route in the access log. Default true.'),
    policies: routePoliciesSchema
      .prefault({})
      .describe('Policies of this route. Their options override those for every route; false switches a policy off.'),
  })
  .meta({
    oneOf: [
      onlyWith('service', 'string'),
      ...['split', 'reply', 'redirect'].map((key) => onlyWith(key, 'object')),
      onlyWith('files', 'string', 'object'),
    ],
  })

/** JSON Schema of a map that requires the key; its type lets editors complete it. */
function onlyWith(key: string, ...type: readonly string[]) {
  return { type: 'object', properties: { [key]: { type } }, required: [key] }
}
