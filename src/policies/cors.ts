import { z } from 'zod'
import { definePolicy } from './policy.ts'
import { GatewayError } from '../core/errors.ts'
import type { Exchange } from '../http/exchange.ts'
import { editReplies } from '../http/handler.ts'
import { isToken } from '../core/field.ts'
import { fieldLine, knownLine } from '../http/field-lines.ts'
import { headersFromWire, replaceLines } from '../http/headers.ts'
import { NameSet } from '../http/name-set.ts'
import { errorReply } from '../http/problem.ts'
import { Reply } from '../http/reply.ts'
import { durationOrZero } from '../core/units.ts'
import { compileOrigins, originPattern } from './origins.ts'
import { preflightMethod, preflightNames } from './preflight.ts'
import { addVary } from './vary.ts'

const nameExpected = 'expected a header name, or "*"'
const methodExpected = 'expected a method such as GET, or "*"'

const name = z.string(nameExpected).refine(isToken, nameExpected)
const method = z.string(methodExpected).refine(isToken, methodExpected).toUpperCase()

/** Headers that only this policy may set: those sent by a service are replaced. */
const NAMES = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Allow-Private-Network',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
]
const FIELDS = new NameSet(NAMES)
const FIELDS_AND_VARY = new NameSet([...NAMES, 'Vary'])

const options = z
  .strictObject({
    origins: originPattern
      .array()
      .min(1)
      .default(['*'])
      .describe(
        'Allowed origins, such as https://app.example.com; https://*.example.com for all subdomains, for which *.example.com is short; "*" for any. Default "*".',
      )
      .meta({ examples: [['https://app.example.com', 'https://*.example.com']] }),
    methods: method
      .array()
      .default(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
      .describe('Allowed methods; "*" for all. Default GET, POST, PUT, DELETE, OPTIONS.'),
    headers: name
      .array()
      .default(['Content-Type', 'Authorization'])
      .describe('Allowed request headers; "*" for all. Default Content-Type, Authorization.'),
    exposedHeaders: name
      .array()
      .default([])
      .describe('Reply headers that pages may read in addition to the safelisted ones. Default none.')
      .meta({ examples: [['RateLimit', 'X-Correlation-ID']] }),
    credentials: z.boolean().default(false).describe('Allow cookies and other credentials. Not with origins "*".'),
    maxAge: durationOrZero.prefault('10m').describe('How long browsers cache preflight results. Default 10m.'),
    privateNetwork: z
      .boolean()
      .default(false)
      .describe('Allow pages of public networks to use the API in a private network.'),
  })
  .superRefine(({ origins, exposedHeaders, credentials }, context) => {
    if (!credentials) return
    if (origins.includes('*'))
      context.addIssue({
        code: 'custom',
        path: ['origins'],
        message: '"*" together with credentials would let every site act for its visitors; expected a list of origins',
      })
    if (exposedHeaders.includes('*'))
      context.addIssue({
        code: 'custom',
        path: ['exposedHeaders'],
        message: 'browsers ignore "*" together with credentials; expected a list of header names',
      })
  })

/** Cross-origin resource sharing (Fetch standard, "CORS protocol"). */
export const cors = definePolicy({
  name: 'cors',
  summary:
    'Allows pages of other origins to use the API: answers preflight requests and adds CORS headers to every reply, errors included.',
  options,
  fields: () => ['Access-Control-Request-Private-Network'],
  answersPreflights: true,
  decidesBy: () => 'nothing',
  isShared: () => true,
  create({ origins, methods, headers, exposedHeaders, credentials, maxAge, privateNetwork }) {
    const everybody = origins.includes('*')
    const allows = compileOrigins(origins)
    const shared = credentials ? knownLine('Access-Control-Allow-Credentials', 'true') : ''
    const allowMethods = listLine('Access-Control-Allow-Methods', methods)
    const allowHeaders = listLine('Access-Control-Allow-Headers', headers)
    const exposedLine = listLine('Access-Control-Expose-Headers', exposedHeaders, '*')
    const onReplies = shared + allowMethods + allowHeaders + exposedLine
    const onPreflights = shared + exposedLine + fieldLine('Access-Control-Max-Age', String(Math.floor(maxAge / 1000)))
    const vary = listLine('Vary', [
      ...(everybody ? [] : ['Origin']),
      ...(methods.includes('*') ? ['Access-Control-Request-Method'] : []),
      ...(headers.includes('*') ? ['Access-Control-Request-Headers'] : []),
    ])

    /** The last origin and its headers: most requests come from the same one. */
    let known = linesFor(undefined)

    function linesFor(origin: string | undefined) {
      const lines = origin !== undefined && allows(origin) ? [allowOrigin(origin), onReplies] : []
      // Joined in advance, so that nothing has to be assembled for each reply.
      return { origin, lines: lines.join(''), withVary: [...lines, knownLine('Vary', 'Origin')].join('') }
    }

    function editForOrigin({ headers: fields }: Reply, exchange: Exchange): void {
      const origin = exchange.headers.get('Origin')
      if (known.origin !== origin) known = linesFor(origin)
      if (!fields.has('Vary')) return replaceLines(fields, FIELDS_AND_VARY, known.withVary)
      replaceLines(fields, FIELDS, known.lines)
      addVary(fields, 'Origin')
    }

    function answerPreflight(exchange: Exchange, requestedMethod: string): Reply {
      const origin = exchange.headers.get('Origin') ?? ''
      if (!everybody && !allows(origin)) {
        const reply = errorReply(new GatewayError('forbidden', `The origin ${origin} is not allowed here.`), exchange)
        addVary(reply.headers, 'Origin')
        return reply
      }
      let lines = allowOrigin(everybody ? '*' : origin) + onPreflights + vary
      lines += methods.includes('*') ? fieldLine('Access-Control-Allow-Methods', requestedMethod) : allowMethods
      // For requests with credentials "*" is an ordinary name, and it never covers Authorization.
      lines += headers.includes('*')
        ? listLine('Access-Control-Allow-Headers', preflightNames(exchange.headers))
        : allowHeaders
      if (privateNetwork && exchange.headers.get('Access-Control-Request-Private-Network') === 'true')
        lines += knownLine('Access-Control-Allow-Private-Network', 'true')
      return new Reply(204, headersFromWire(lines), null)
    }

    const forEverybody = [allowOrigin('*'), onReplies].join('')
    return (next) => {
      const edit = everybody
        ? ({ headers: fields }: Reply) => replaceLines(fields, FIELDS, forEverybody)
        : editForOrigin
      const handle = editReplies(next, edit)
      return (exchange) => {
        if (credentials) exchange.sharesCredentials = allows
        const requestedMethod = preflightMethod(exchange)
        return requestedMethod === null ? handle(exchange) : answerPreflight(exchange, requestedMethod)
      }
    }
  },
})

function allowOrigin(origin: string): string {
  return fieldLine('Access-Control-Allow-Origin', origin)
}

/** A list as one header line; nothing for an empty list, and `any` for one with "*". */
function listLine(field: string, items: readonly string[], any = ''): string {
  const value = items.includes('*') ? any : items.join(', ')
  return value === '' ? '' : fieldLine(field, value)
}
