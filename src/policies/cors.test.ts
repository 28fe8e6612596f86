import assert from 'node:assert/strict'
import test from 'node:test'
import type { z } from 'zod'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import { GatewayError } from '../core/errors.ts'
import type { Handler } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { cors } from './cors.ts'

type Options = z.input<typeof cors.options>
type Fields = Readonly<Record<string, string>>

const APP = 'https://app.example.com'

/** Fields of the reply that the policy lets through, by name in lower case. */
async function run(
  options: Options,
  method: string,
  sent: Fields,
  next: Handler = () => new Reply(200, Headers.of(), null),
) {
  const exchange = makeExchange({ method, headers: Headers.of(Object.entries(sent)) })
  const reply = await applyPolicy(cors, options, next)(exchange)
  const fields: Record<string, string> = {}
  for (const [name, value] of reply.headers) {
    const key = name.toLowerCase()
    assert.ok(!(key in fields), `${name} is repeated`)
    fields[key] = value
  }
  return { reply, fields, exchange }
}

function get(options: Options, sent: Fields, next?: Handler) {
  return run(options, 'GET', sent, next)
}

/** What a preflight gets, which goes no further. */
function preflight(options: Options, sent: Fields = {}) {
  const requested = { Origin: APP, 'Access-Control-Request-Method': 'POST', ...sent }
  return run(options, 'OPTIONS', requested, () => assert.fail('the preflight was forwarded'))
}

test('by default every reply has the headers of the specification', async () => {
  const expected = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
    'access-control-allow-headers': 'Content-Type, Authorization',
  }
  assert.deepEqual((await get({}, { Origin: APP })).fields, expected)
  assert.deepEqual((await get({}, {})).fields, expected)
})

test('an allowed origin is echoed, with credentials and exposed headers', async () => {
  const options = { origins: [APP], credentials: true, exposedHeaders: ['X-Correlation-ID', 'Retry-After'] }
  assert.deepEqual((await get(options, { Origin: APP })).fields, {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
    'access-control-allow-headers': 'Content-Type, Authorization',
    'access-control-expose-headers': 'X-Correlation-ID, Retry-After',
    vary: 'Origin',
  })
})

for (const sent of [{}, { Origin: 'https://evil.test' }, { Origin: 'null' }] as Fields[])
  test(`a reply to ${JSON.stringify(sent)} has no permission, but has Vary`, async () => {
    assert.deepEqual((await get({ origins: [APP] }, sent)).fields, { vary: 'Origin' })
  })

test('replies to different origins do not affect each other', async () => {
  const handle = applyPolicy(cors, { origins: ['https://*.example.com'] }, () => new Reply(200, Headers.of(), null))
  for (const origin of [
    'https://a.example.com',
    undefined,
    'https://b.example.com',
    'https://b.test',
    'https://a.example.com',
  ]) {
    const headers = Headers.of(origin === undefined ? [] : [['Origin', origin]])
    const reply = await handle(makeExchange({ headers }))
    const allowed = origin?.endsWith('.example.com') === true ? origin : undefined
    assert.equal(reply.headers.get('Access-Control-Allow-Origin'), allowed)
  }
})

for (const sent of [{ Origin: APP }, { Origin: 'https://evil.test' }, {}] as Fields[])
  test(`CORS headers of the service are replaced for ${JSON.stringify(sent)}`, async () => {
    const theirs = Headers.of([
      ['Vary', 'Accept'],
      ['access-control-allow-origin', '*'],
      ['Access-Control-Allow-Origin', 'https://b.test'],
      ['Access-Control-Allow-Credentials', 'true'],
      ['Access-Control-Expose-Headers', '*'],
      ['Access-Control-Max-Age', '86400'],
      ['Access-Control-Allow-Private-Network', 'true'],
      ['Access-Control-Other', 'kept'],
    ])
    const { fields } = await get({ origins: [APP], methods: [], headers: [] }, sent, () => new Reply(200, theirs, null))
    assert.deepEqual(fields, {
      vary: 'Accept, Origin',
      'access-control-other': 'kept',
      ...(sent['Origin'] === APP && { 'access-control-allow-origin': APP }),
    })
  })

const failures: Record<string, Handler> = {
  thrown() {
    throw new GatewayError('not-found')
  },
  rejected: () => Promise.reject(new GatewayError('not-found')),
}

for (const [how, next] of Object.entries(failures))
  test(`an error that was ${how} can be read by the page`, async () => {
    const { reply, fields } = await get({ origins: [APP] }, { Origin: APP }, next)
    assert.equal(reply.status, 404)
    assert.equal(fields['access-control-allow-origin'], APP)
    assert.equal(fields['vary'], 'Origin')
  })

test('a preflight is answered by the gateway', async () => {
  const { reply, fields } = await preflight({})
  assert.equal(reply.status, 204)
  assert.equal(reply.body, null)
  assert.deepEqual(fields, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
    'access-control-allow-headers': 'Content-Type, Authorization',
    'access-control-max-age': '600',
  })
})

test('a preflight of an allowed origin gets that origin', async () => {
  const options: Options = {
    origins: [APP],
    credentials: true,
    methods: ['get', 'PATCH'],
    headers: ['X-A'],
    maxAge: '2h',
  }
  assert.deepEqual((await preflight(options)).fields, {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, PATCH',
    'access-control-allow-headers': 'X-A',
    'access-control-max-age': '7200',
    vary: 'Origin',
  })
})

test('a preflight of any other origin is rejected', async () => {
  const { reply, fields, exchange } = await preflight({ origins: [APP] }, { Origin: 'https://evil.test' })
  assert.equal(reply.status, 403)
  assert.equal(exchange.error?.message, 'The origin https://evil.test is not allowed here.')
  assert.equal(fields['vary'], 'Origin')
  assert.ok(Object.keys(fields).every((name) => !name.startsWith('access-control-')))
})

test('"*" for methods and headers allows what is requested, also with credentials', async () => {
  const options = { origins: [APP], credentials: true, methods: ['*'], headers: ['*'] }
  const requested = { 'Access-Control-Request-Method': 'PURGE', 'Access-Control-Request-Headers': 'authorization,x-a' }
  assert.deepEqual((await preflight(options, requested)).fields, {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'PURGE',
    'access-control-allow-headers': 'authorization, x-a',
    'access-control-max-age': '600',
    vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  })
  assert.equal((await preflight(options)).fields['access-control-allow-headers'], undefined)
})

test('of the requested headers only valid names are echoed', async () => {
  const requested = { 'Access-Control-Request-Headers': 'x-a, b c, <d>, , x-e' }
  assert.equal((await preflight({ headers: ['*'] }, requested)).fields['access-control-allow-headers'], 'x-a, x-e')
})

test('without a list no methods and headers are allowed', async () => {
  const { fields } = await preflight({ methods: [], headers: [] })
  assert.deepEqual(fields, { 'access-control-allow-origin': '*', 'access-control-max-age': '600' })
})

test('privateNetwork grants private network access to preflights that request it', async () => {
  const requested = { 'Access-Control-Request-Private-Network': 'true' }
  const name = 'access-control-allow-private-network'
  assert.equal((await preflight({ privateNetwork: true }, requested)).fields[name], 'true')
  assert.equal((await preflight({ privateNetwork: true })).fields[name], undefined)
  assert.equal((await preflight({}, requested)).fields[name], undefined)
})

for (const [what, method, sent] of [
  ['without Origin', 'OPTIONS', { 'Access-Control-Request-Method': 'POST' }],
  ['without Access-Control-Request-Method', 'OPTIONS', { Origin: APP }],
  ['with an invalid Access-Control-Request-Method', 'OPTIONS', { Origin: APP, 'Access-Control-Request-Method': 'a b' }],
  ['with a method other than OPTIONS', 'POST', { Origin: APP, 'Access-Control-Request-Method': 'POST' }],
] as const)
  test(`a request ${what} is not a preflight, and continues`, async () => {
    const { reply, fields } = await run({ origins: [APP] }, method, sent)
    assert.equal(reply.status, 200)
    assert.equal(fields['vary'], 'Origin')
  })

const refused: Record<string, [options: Options, message: RegExp]> = {
  'every origin with credentials': [{ credentials: true }, /every site act for its visitors/],
  '"*" among origins with credentials': [{ origins: [APP, '*'], credentials: true }, /every site act for its visitors/],
  'every exposed header with credentials': [
    { origins: [APP], exposedHeaders: ['*'], credentials: true },
    /expected a list of header names/,
  ],
  'no origin': [{ origins: [] }, /origins/],
  'an origin with a path': [{ origins: ['https://a.example/'] }, /expected \\"\*\\", an origin/],
  'an invalid method': [{ methods: ['GET POST'] }, /expected a method/],
  'an invalid header name': [{ headers: ['a:'] }, /expected a header name/],
}

for (const [what, [options, message]] of Object.entries(refused))
  test(`${what} is rejected`, () => {
    assert.match(String(cors.options.safeParse(options).error), message)
  })

test('all headers can be exposed without credentials', async () => {
  assert.equal((await get({ exposedHeaders: ['*'] }, {})).fields['access-control-expose-headers'], '*')
})
