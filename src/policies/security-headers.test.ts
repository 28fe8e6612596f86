import assert from 'node:assert/strict'
import test from 'node:test'
import type { z } from 'zod'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import { GatewayError } from '../core/errors.ts'
import type { Handler } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { securityHeaders } from './security-headers.ts'

type Options = z.input<typeof securityHeaders.options>

const three = [
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['X-XSS-Protection', '1; mode=block'],
]

function answering(...fields: (readonly [string, string])[]): Handler {
  return () => new Reply(200, Headers.of(fields), null)
}

async function fieldsOf(options: Options, next = answering(), scheme: 'http' | 'https' = 'http') {
  const client = {
    address: '192.0.2.1',
    scheme,
    host: null,
    claims: '',
    proxied: false,
    certificate: null,
    hops: [],
    peerCertificate: null,
    forwardingFields: () => '',
  }
  const reply = await applyPolicy(securityHeaders, options, next)(makeExchange({ client }))
  return [...reply.headers]
}

test('every reply has the three headers of the specification', async () => {
  assert.deepEqual(await fieldsOf({}), three)
})

test('error replies have them as well', async () => {
  const fields = await fieldsOf({}, () => {
    throw new GatewayError('not-found')
  })
  assert.deepEqual(fields.slice(-3), three)
  const later = await fieldsOf({}, () => Promise.reject(new GatewayError('bad-gateway')))
  assert.deepEqual(later.slice(-3), three)
})

test('values set by the service are replaced', async () => {
  const next = answering(['x-frame-options', 'ALLOWALL'], ['Content-Type', 'a/b'], ['X-FRAME-OPTIONS', 'SAMEORIGIN'])
  assert.deepEqual(await fieldsOf({}, next), [['Content-Type', 'a/b'], ...three])
})

test('each header can be turned off, and is then left to the service', async () => {
  const options = { contentTypeOptions: false, frameOptions: false, xssProtection: false } as const
  assert.deepEqual(await fieldsOf(options, answering(['X-Frame-Options', 'SAMEORIGIN'])), [
    ['X-Frame-Options', 'SAMEORIGIN'],
  ])
})

test('all other headers are optional', async () => {
  const fields = await fieldsOf({
    frameOptions: 'SAMEORIGIN',
    xssProtection: '0',
    contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
    referrerPolicy: 'no-referrer',
    permissionsPolicy: 'camera=(), geolocation=(self "https://a.example")',
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginEmbedderPolicy: 'require-corp',
    crossOriginResourcePolicy: 'same-site',
  })
  assert.deepEqual(fields, [
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'SAMEORIGIN'],
    ['X-XSS-Protection', '0'],
    ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
    ['Referrer-Policy', 'no-referrer'],
    ['Permissions-Policy', 'camera=(), geolocation=(self "https://a.example")'],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Embedder-Policy', 'require-corp'],
    ['Cross-Origin-Resource-Policy', 'same-site'],
  ])
})

test('Strict-Transport-Security is only sent over https', async () => {
  const strictTransportSecurity = {}
  assert.deepEqual((await fieldsOf({ strictTransportSecurity }, answering(), 'https')).slice(3), [
    ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  ])
  const next = answering(['Strict-Transport-Security', 'max-age=1'])
  assert.deepEqual(await fieldsOf({ strictTransportSecurity }, next), three)
})

test('the parts of Strict-Transport-Security are options', async () => {
  for (const [strictTransportSecurity, value] of [
    [{ maxAge: '300s', includeSubDomains: false }, 'max-age=300'],
    [{ maxAge: '730d', preload: true }, 'max-age=63072000; includeSubDomains; preload'],
  ] as const)
    assert.equal((await fieldsOf({ strictTransportSecurity }, answering(), 'https')).at(-1)?.[1], value)
})

test('revealing headers can be removed', async () => {
  const next = answering(['Server', 'nginx/1.22.1'], ['Via', '1.1 a'], ['x-powered-by', 'Express'])
  assert.deepEqual(await fieldsOf({ remove: ['Server', 'X-Powered-By'] }, next), [['Via', '1.1 a'], ...three])
})

const refused: Record<string, [options: object, message: RegExp]> = {
  'a line break': [{ contentSecurityPolicy: 'a\r\nb' }, /one line/],
  'a value with surrounding whitespace': [{ permissionsPolicy: ' a' }, /one line/],
  'an unknown word': [{ referrerPolicy: 'never' }, /Invalid/],
  'preload with a short max-age': [{ strictTransportSecurity: { maxAge: '1h', preload: true } }, /at least 365d/],
  'preload without subdomains': [
    { strictTransportSecurity: { includeSubDomains: false, preload: true } },
    /includeSubDomains/,
  ],
  'a duration without a unit': [{ strictTransportSecurity: { maxAge: '300' } }, /expected a duration such as/],
  'a framing header': [{ remove: ['Content-Length'] }, /belongs to the connection/],
}

for (const [what, [options, message]] of Object.entries(refused))
  test(`${what} is rejected`, () => {
    assert.match(String(securityHeaders.options.safeParse(options).error), message)
  })
