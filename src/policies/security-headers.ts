import { z } from 'zod'
import { definePolicy } from './policy.ts'
import { editReplies } from '../http/handler.ts'
import { isFieldValue } from '../core/field.ts'
import { durationOrZero } from '../core/units.ts'
import { fieldLine } from '../http/field-lines.ts'
import { replaceLines } from '../http/headers.ts'
import { NameSet } from '../http/name-set.ts'
import { fieldName } from './field-name.ts'

const valueExpected = 'expected a text on one line, in printable ASCII, or false'
const TRANSPORT = 'Strict-Transport-Security'
const YEAR = 365 * 86_400_000

const value = z
  .string(valueExpected)
  .regex(/^[\x20-\x7e]+$/, valueExpected)
  .refine(isFieldValue, valueExpected)
const off = z.literal(false)

const transportSecurity = z
  .strictObject({
    maxAge: durationOrZero
      .prefault('365d')
      .describe('How long browsers use https only. Default 365d.')
      .meta({ examples: ['365d', '0s'] }),
    includeSubDomains: z.boolean().default(true).describe('Apply to all subdomains too. Default true.'),
    preload: z
      .boolean()
      .default(false)
      .describe('Allow browsers to ship the host in their preload lists. Default false.'),
  })
  .refine(({ maxAge, includeSubDomains, preload }) => !preload || (includeSubDomains && maxAge >= YEAR), {
    error: 'preload needs includeSubDomains and a maxAge of at least 365d',
  })

const options = z.strictObject({
  contentTypeOptions: z
    .boolean()
    .default(true)
    .describe('X-Content-Type-Options: nosniff. Browsers do not guess content types.'),
  frameOptions: z
    .union([z.enum(['DENY', 'SAMEORIGIN']), off])
    .default('DENY')
    .describe('X-Frame-Options: who may show replies in a frame. Default DENY.'),
  xssProtection: z
    .union([value, off])
    .default('1; mode=block')
    .describe('X-XSS-Protection, which only old browsers use. Default "1; mode=block".'),
  strictTransportSecurity: z
    .union([transportSecurity, off])
    .default(false)
    .describe('Strict-Transport-Security (RFC 6797), on replies to https requests only. Default false.'),
  contentSecurityPolicy: z
    .union([value, off])
    .default(false)
    .describe('Content-Security-Policy. Default false.')
    .meta({ examples: ["default-src 'self'"] }),
  referrerPolicy: z
    .union([
      z.enum([
        'no-referrer',
        'no-referrer-when-downgrade',
        'origin',
        'origin-when-cross-origin',
        'same-origin',
        'strict-origin',
        'strict-origin-when-cross-origin',
        'unsafe-url',
      ]),
      off,
    ])
    .default(false)
    .describe('Referrer-Policy. Default false.'),
  permissionsPolicy: z
    .union([value, off])
    .default(false)
    .describe('Permissions-Policy. Default false.')
    .meta({ examples: ['camera=(), geolocation=()'] }),
  crossOriginOpenerPolicy: z
    .union([z.enum(['unsafe-none', 'same-origin-allow-popups', 'same-origin', 'noopener-allow-popups']), off])
    .default(false)
    .describe('Cross-Origin-Opener-Policy. Default false.'),
  crossOriginEmbedderPolicy: z
    .union([z.enum(['unsafe-none', 'require-corp', 'credentialless']), off])
    .default(false)
    .describe('Cross-Origin-Embedder-Policy. Default false.'),
  crossOriginResourcePolicy: z
    .union([z.enum(['same-site', 'same-origin', 'cross-origin']), off])
    .default(false)
    .describe('Cross-Origin-Resource-Policy. Default false.'),
  remove: z
    .array(fieldName)
    .default([])
    .describe(
      'Headers of services to remove because they reveal too much, such as Server and X-Powered-By. Default none.',
    )
    .meta({ examples: [['Server', 'X-Powered-By']] }),
})

/** Adds headers to each reply that make browsers apply security restrictions. */
export const securityHeaders = definePolicy({
  name: 'security-headers',
  summary: 'Adds security headers for browsers to every reply, errors included.',
  options,
  decidesBy: () => 'nothing',
  isShared: () => true,
  create(chosen) {
    const { strictTransportSecurity, remove } = chosen
    const fields = fieldsOf(chosen)
    const lines = fields.map(([name, text]) => fieldLine(name, text)).join('')
    const transport = strictTransportSecurity && fieldLine(TRANSPORT, transportText(strictTransportSecurity))
    const names = new NameSet([...fields.map(([name]) => name), ...remove, ...(transport === false ? [] : [TRANSPORT])])
    if (transport === false) return (next) => editReplies(next, ({ headers }) => replaceLines(headers, names, lines))

    const secureLines = [lines, transport].join('')
    return (next) =>
      // RFC 6797 section 7.2: not over http, where anyone on the network could have inserted it.
      editReplies(next, ({ headers }, { client }) =>
        replaceLines(headers, names, client.scheme === 'https' ? secureLines : lines),
      )
  },
})

/** The headers that are enabled and do not depend on the exchange. */
function fieldsOf(chosen: z.output<typeof options>): (readonly [name: string, text: string])[] {
  const all: (readonly [name: string, text: string | false])[] = [
    ['X-Content-Type-Options', chosen.contentTypeOptions && 'nosniff'],
    ['X-Frame-Options', chosen.frameOptions],
    ['X-XSS-Protection', chosen.xssProtection],
    ['Content-Security-Policy', chosen.contentSecurityPolicy],
    ['Referrer-Policy', chosen.referrerPolicy],
    ['Permissions-Policy', chosen.permissionsPolicy],
    ['Cross-Origin-Opener-Policy', chosen.crossOriginOpenerPolicy],
    ['Cross-Origin-Embedder-Policy', chosen.crossOriginEmbedderPolicy],
    ['Cross-Origin-Resource-Policy', chosen.crossOriginResourcePolicy],
  ]
  return all.flatMap(([name, text]) => (text === false ? [] : [[name, text] as const]))
}

function transportText({ maxAge, includeSubDomains, preload }: z.output<typeof transportSecurity>): string {
  const parts = [`max-age=${Math.floor(maxAge / 1000)}`]
  if (includeSubDomains) parts.push('includeSubDomains')
  if (preload) parts.push('preload')
  return parts.join('; ')
}
