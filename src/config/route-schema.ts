import { METHODS } from 'node:http'
import { z } from 'zod'
import { filesSchema } from '../files/schema.ts'
import { isFieldValue, isToken } from '../core/field.ts'
import { duration, percent } from '../core/units.ts'
import { oneOrMore } from '../core/one-or-more.ts'
import { refusalOfPattern } from '../regexp/linear.ts'
import { fieldName, keyMessage } from '../policies/field-name.ts'
import { parseHostPattern } from '../routing/host.ts'
import { PatternError } from '../routing/pattern.ts'
import { pathPattern } from '../routing/pattern-schema.ts'
import { compileRewrite } from '../routing/rewrite.ts'
import { prioritySchema } from '../services/concurrency/priority.ts'
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

/** A text that `parse` takes; the PatternError that it throws becomes the problem. */
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

/** What other gateways take for every method. */
const ANY_METHOD = new Set(['*', 'ANY', 'ALL'])

/** No request with these gets as far as a route. */
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

/** What one would take too long to read is no expression for a route. */
const LONGEST_REGEX = 1000

const regex = z
  .string(regexExpected)
  .max(LONGEST_REGEX, `expected a regular expression of at most ${LONGEST_REGEX} characters`)
  .superRefine((text, context) => {
    const refusal = refusalOfPattern(text)
    if (refusal !== null) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${refusal}` })
  })

/** What the value of a field or a query parameter must be, where a text that it may be is such a one. */
function valueMatch<Text extends z.ZodType<string>>(text: Text) {
  return z.union(
    [
      z.literal(true),
      text,
      text.array().min(1),
      z.strictObject({ regex: regex.describe('A regular expression that describes the whole value.') }),
    ],
    valueMatchExpected,
  )
}

const matchSchema = z.strictObject({
  path: oneOrMore(pathPattern).describe(
    'Path patterns: exact /a, prefix /a/* (/a itself and all below it), parameters /a/{id}/b. One, or a list.',
  ),
  host: oneOrMore(host)
    .optional()
    .describe('Host names; *.example.com stands for every name below it. One, or a list.'),
  method: oneOrMore(method).optional().describe('Methods, such as GET. One, or a list.'),
  headers: z
    .record(headerName.toLowerCase(), valueMatch(headerValue))
    .optional()
    .describe(
      'Headers that the request must have: name: value, a list of values, { regex } for the whole value, or true for any.',
    ),
  query: z
    .record(z.string(), valueMatch(z.string()))
    .optional()
    .describe(
      'Query parameters that the request must have: name: value, a list of values, { regex } for the whole value, or true for any.',
    ),
  pathRegex: regex
    .optional()
    .describe(
      'A regular expression that describes the whole path besides, from its first slash to its end, in its normal form.',
    ),
  listener: oneOrMore(z.string())
    .optional()
    .describe(
      'Listeners that it takes requests of, by their names, or their addresses where they have none. One, or a list. Default all.',
    ),
  precedence: z
    .int()
    .min(-1000)
    .max(1000)
    .optional()
    .describe(
      'Of routes whose matches are as specific otherwise, the one with the highest takes a request that fits them all. Default 0.',
    ),
})

const replySchema = z.strictObject({
  status: z.int().min(200).max(599).default(200).describe('Status of the reply, 200 to 599. Default 200.'),
  headers: z
    .record(fieldName, headerValue, { error: keyMessage })
    .default({})
    .describe("Header fields of the reply; its length and what is between two hops are the gateway's to say."),
  body: z.string().default('').describe('Text of the body, sent as UTF-8. Default empty.'),
})

const redirectSchema = z.strictObject({
  to: z
    .string(targetExpected)
    .regex(/^(?:(?:https?|\{scheme\}):\/\/[!-~]+|\/[!-~]*)$/, targetExpected)
    .describe(
      'Where it leads, a path or a URL: {name} is a parameter of the path, {host}, {hostname} (without the port), {port}, {path} ' +
        'and {scheme} are those of the request, and "/*" at the end is what stands for "*" in the path.',
    ),
  query: z.boolean().default(true).describe('Whether the query of the request goes along. Default true.'),
  status: z.literal([301, 302, 303, 307, 308]).default(307).describe('301, 302, 303, 307 or 308. Default 307.'),
})

const mapReplies = z
  .boolean()
  .default(false)
  .describe('Whether Location, Content-Location and cookie paths of replies get the prefix back. Default false.')

const rewrittenHost = z
  .string(rewrittenHostExpected)
  .regex(/^[A-Za-z0-9._:[\]{}-]+$/, rewrittenHostExpected)
  .describe(
    'The host that the service is asked for, in place of what the service says: {name} is a parameter of the path, {host}, ' +
      '{hostname} and {port} are those of the request.',
  )

const rewriteSchema = z.union([
  z.strictObject({
    strip: pathPrefix.describe('Prefix that is taken off the path; the service learns it from X-Forwarded-Prefix.'),
    mapReplies,
    host: rewrittenHost.optional(),
  }),
  z.strictObject({
    prefix: pathPrefix.describe('Prefix that is replaced.'),
    with: pathPrefix.describe('What stands in its place.'),
    mapReplies,
    host: rewrittenHost.optional(),
  }),
  z.strictObject({
    path: z
      .string(rewrittenPathExpected)
      .regex(/^(?:\/|\{path\})[!"$->@-~]*$/, rewrittenPathExpected)
      .describe(
        'The path for the service: {name} is a parameter of the path, {path} the path itself, and "/*" at the end is what ' +
          'stands for "*" in the path.',
      ),
    host: rewrittenHost.optional(),
  }),
  z.strictObject({ host: rewrittenHost }),
])

const timeoutsSchema = z.strictObject({
  response: duration.optional().describe('From the last byte of the request to the head of the reply.'),
  idle: duration.optional().describe('Without a byte in the middle of a body, or on an upgraded connection.'),
  total: duration.optional().describe('From the request to the head of the reply, with everything between.'),
})

const mirrorSchema = z.strictObject({
  service: z.string().describe('Name of the service that gets copies.'),
  share: percent.prefault('100%').describe('How many of the requests are copied. Default 100%.'),
})

/** Schema of what becomes of path parameters (";x=1"). */
export const pathParameters = z.enum(['refuse', 'strip', 'keep'])

/** Schema of one route. */
export const routeSchema = z
  .strictObject({
    id: z
      .string(idExpected)
      .regex(/^[A-Za-z0-9._-]+$/, idExpected)
      .describe('Name of the route in logs and metrics; no two routes share it.'),
    match: matchSchema.describe('Which requests take the route. All that is given must match.'),
    service: z.string().optional().describe('Name of the service that requests are forwarded to.'),
    split: splitSchema.optional().describe('Several services in place of one, between which requests are divided.'),
    mirror: oneOrMore(mirrorSchema)
      .optional()
      .describe(
        'Services that get copies of requests beside the one that answers, and whose replies nobody gets. One, or a list.',
      ),
    reply: replySchema.optional().describe('A fixed reply in place of a service.'),
    redirect: redirectSchema.optional().describe('A redirect in place of a service.'),
    files: filesSchema
      .optional()
      .describe('A folder whose files are sent, in place of a service: its path, or a map with root and more.'),
    rewrite: rewriteSchema
      .optional()
      .describe(
        'Changes path and host before a request is forwarded: { strip }, { prefix, with }, { path } or { host }.',
      ),
    encodedSlashes: z
      .boolean()
      .default(false)
      .describe(
        'Whether paths may have an encoded slash or backslash, %2F or %5C; they go on as they are, and are refused where ' +
          'the path without the escape leads to another route. Default false: refused.',
      ),
    pathParameters: pathParameters
      .optional()
      .describe('What becomes of path parameters, ";x=1": refuse, strip or keep. Default what is said for all routes.'),
    timeouts: timeoutsSchema
      .optional()
      .describe('How long the gateway waits for the service on this route, in place of what the service says.'),
    streaming: z
      .boolean()
      .default(false)
      .describe(
        'Whether both sides may send as much as they like, and be silent for as long as they like, as in streams of gRPC: neither limits.body, bodyTimeout and leastRate of requests nor the time-outs of the service count, but for those in timeouts of the route. Default false.',
      ),
    priority: prioritySchema
      .default('normal')
      .describe(
        'Where a service or the gateway has too much to do, requests of low priority are shed first, those of high priority last: high, normal or low. Default normal.',
      ),
    hedge: z
      .boolean()
      .default(true)
      .describe('Whether requests of the route may go to two instances where the service has hedge. Default true.'),
    log: z.boolean().default(true).describe('Whether requests of the route are in the access log. Default true.'),
    policies: routePoliciesSchema
      .prefault({})
      .describe('Policies of this route; their options replace those given for every route, false switches one off.'),
  })
  .meta({ oneOf: ['service', 'split', 'reply', 'redirect', 'files'].map(onlyWith) })

/** JSON Schema of a map that has the key. */
function onlyWith(key: string) {
  return { type: 'object', properties: { [key]: {} }, required: [key] }
}
