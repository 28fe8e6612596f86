import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { explanation } from '../src/admin/explain.ts'
import { definePolicy, type GatewayInput, type Policy, z } from '../src/gateway.ts'
import { startAdminGateway } from './support/admin.ts'
import { type Ask, send } from './support/client.ts'
import { startService } from './support/service.ts'

const KEY = 'the key of a partner, which nobody else has'
// sha256 of KEY
const SHA256 = '0ee8209786fead78f99f9b11837c17ddffd53bfb8024d4e4f3ea55c895e44086'

async function setUp(
  t: TestContext,
  config: Omit<GatewayInput, 'services' | 'admin'> = {},
  policies: readonly Policy[] = [],
) {
  const service = await startService(t, (_, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.end('a book')
  })
  const started = await startAdminGateway(
    t,
    {
      services: {
        books: { instances: [service.url], health: false },
        other: { instances: [service.url], health: false },
      },
      ...config,
    },
    { policies },
  )
  const explain = async (url: string, question: object = {}) => {
    const { status, json, text } = await started.ask('/explain', { method: 'POST', json: { url, ...question } })
    assert.equal(status, 200, text)
    return explanation.parse(json)
  }
  return { ...started, service, explain }
}

const full: Omit<GatewayInput, 'services' | 'admin'> = {
  policies: {
    'correlation-id': {},
    auth: { methods: { 'api-key': { keys: [{ id: 'partner', sha256: SHA256 }] } } },
    'rate-limit': { tiers: { unauthenticated: '3/h', authenticated: '5/h', api_key: '5/h' } },
    'response-headers': { set: { 'X-Answered-By': 'gateway' } },
  },
  routes: [
    {
      id: 'books',
      match: { path: '/books/*' },
      service: 'books',
      rewrite: { strip: '/books' },
      policies: {
        auth: { public: ['/*'] },
        cache: {},
        'request-headers': { set: { 'X-Api-Secret': 'of the service' } },
      },
    },
    { id: 'drafts', match: { path: '/books/{id}', headers: { 'X-Draft': 'yes' } }, service: 'other' },
    {
      id: 'editors',
      match: { path: '/editors' },
      service: 'books',
      policies: { auth: { require: { roles: ['editor'] } } },
    },
    { id: 'hello', match: { path: '/hello' }, reply: { status: 204 }, policies: { auth: false } },
    {
      id: 'paid',
      match: { path: '/paid', method: 'POST' },
      service: 'books',
      policies: { auth: false, idempotency: {} },
    },
    {
      id: 'divided',
      match: { path: '/divided' },
      split: { services: { books: 0, other: 1 } },
      mirror: [{ service: 'books', share: '25%' }],
      policies: { auth: false },
    },
  ],
}

test('an explanation has path, routes, policies, instances and the forwarded head', async (t) => {
  const { explain, service } = await setUp(t, full)
  const reported = await explain('https://api.example.com/books/./7?page=2&token=abc', { from: '203.0.113.9' })
  assert.deepEqual(reported.path, { written: '/books/./7', normal: '/books/7', refused: null })
  assert.deepEqual(
    reported.routes.candidates.map(({ route, lacks, selected }) => [route, lacks, selected]),
    [
      ['drafts', ['header x-draft is missing'], false],
      ['books', [], true],
    ],
  )
  assert.deepEqual(
    reported.policies.map(({ name, verdict, origin, ofRoute }) => [name, verdict, origin, ofRoute]),
    [
      ['correlation-id', 'passed', 'global', []],
      ['response-headers', 'passed', 'global', []],
      ['auth', 'passed', 'global and route', ['public']],
      ['rate-limit', 'passed', 'global', []],
      ['request-headers', 'passed', 'route', []],
      ['cache', 'passed', 'route', []],
    ],
  )
  const [, answers, auth, limit, headers, cache] = reported.policies
  assert.deepEqual(answers!.reply.set, ['X-Answered-By'])
  assert.equal(auth!.events[0]!.attributes['sallyport.auth.outcome'], 'public')
  assert.equal(limit!.events[0]!.attributes['sallyport.rate_limit.remaining'], 2)
  assert.deepEqual(headers!.request.set, ['X-Api-Secret'])
  assert.match(String(cache!.events[0]!.attributes['sallyport.cache.status']), /fwd=uri-miss/)
  assert.deepEqual(reported.leads, ['rewrite strip /books'])
  assert.equal(reported.service!.name, 'books')
  assert.deepEqual(
    reported.service!.instances.map(({ address, next, unusable }) => [address, next, unusable]),
    [[`127.0.0.1:${service.port}`, true, null]],
  )
  assert.equal(reported.outcome, 'sent')
  assert.equal(reported.sent!.target, '/7?page=2&token=[redacted]')
  const fields = new Map(reported.sent!.fields.map(({ name, value }) => [name.toLowerCase(), value]))
  assert.equal(fields.get('x-forwarded-for'), '203.0.113.9')
  assert.equal(fields.get('x-forwarded-proto'), 'https')
  assert.equal(fields.get('x-forwarded-host'), 'api.example.com')
  assert.equal(fields.get('x-api-secret'), '[redacted]')
  assert.equal(service.received.length, 0)
})

test('an assumed caller needs no credentials, and given credentials are verified', async (t) => {
  const { explain } = await setUp(t, full)
  const refused = await explain('/editors')
  assert.deepEqual([refused.outcome, refused.status, refused.code], ['replied', 401, 'unauthorized'])
  assert.deepEqual(
    refused.policies.map(({ name, verdict }) => [name, verdict]),
    [
      ['correlation-id', 'passed'],
      ['response-headers', 'passed'],
      ['auth', 'refused'],
      ['rate-limit', 'not-reached'],
    ],
  )
  const challenges = refused.reply.filter(({ name }) => name === 'WWW-Authenticate')
  assert.deepEqual(
    challenges.map(({ value }) => value),
    ['ApiKey realm="sallyport"'],
  )
  assert.ok(refused.reply.some(({ name }) => name === 'X-Answered-By'))
  assert.equal((await explain('/editors', { as: { id: '42' } })).status, 403)
  const editor = await explain('/editors', { as: { id: '42', roles: ['editor'], tier: 'gold' } })
  assert.equal(editor.outcome, 'sent')
  assert.deepEqual(editor.consumer, { id: '42', roles: ['editor'], tier: 'gold' })
  assert.ok(editor.sent!.fields.some(({ name, value }) => name === 'X-User-ID' && value === '42'))
  const key = await explain('/books/1', { headers: { 'X-API-Key': KEY } })
  assert.equal(key.consumer!.id, 'partner')
  assert.equal((await explain('/books/1', { headers: { 'X-API-Key': 'wrong' } })).consumer, null)
})

test('replies of the gateway itself are explained with status and reason', async (t) => {
  const { explain } = await setUp(t, full)
  const status = async (url: string, question: object = {}) => {
    const { outcome, status: code, route } = await explain(url, question)
    return [outcome, code, route?.id ?? null]
  }
  assert.deepEqual(await status('/hello'), ['replied', 204, 'hello'])
  assert.deepEqual(await status('/nowhere'), ['replied', 404, null])
  assert.deepEqual(await status('/paid'), ['replied', 405, null])
  assert.deepEqual(await status('/health'), ['replied', 200, 'sallyport:health'])
  const slashes = await explain('//hello')
  assert.deepEqual([slashes.status, slashes.path.normal], [400, null])
  assert.match(slashes.path.refused!, /begins with two slashes/)
  const malformed = await explain('/hel lo')
  assert.deepEqual([malformed.status, malformed.policies], [400, []])
  const twice = await explain('/hello', { headers: { Host: ['a', 'b'] } })
  assert.equal(twice.detail, 'The request has more than one Host header field.')
  const divided = await explain('/divided')
  assert.deepEqual(divided.leads, [
    'split between books 0, other 1: this time other',
    'copies of 25% of requests to books',
  ])
  assert.equal(divided.service!.name, 'other')
})

test('each unused instance has its reason', async (t) => {
  const { explain, ask } = await setUp(t, full)
  const [instance] = (await explain('/books/1')).service!.instances
  await ask(`/services/books/instances/${instance!.address}/drain?force=true`, { method: 'PUT' })
  const reported = await explain('/books/1')
  assert.deepEqual([reported.status, reported.code], [503, 'service-unavailable'])
  assert.deepEqual(
    reported.service!.instances.map(({ unusable, next }) => [unusable, next]),
    [['drained by an operator', false]],
  )
})

test('stored replies, exhausted limits and used keys are taken into account', async (t) => {
  const { explain, port } = await setUp(t, full)
  assert.equal((await explain('/books/1')).outcome, 'sent')
  await send(port, { path: '/books/1' })
  const headers = { Host: `127.0.0.1:${port}` }
  const hit = await explain('/books/1', { headers })
  assert.deepEqual([hit.outcome, hit.status], ['replied', 200])
  assert.equal(hit.policies.at(-1)!.verdict, 'answered')
  const paid: Ask = { method: 'POST', path: '/paid', headers: { 'Idempotency-Key': '"1"' }, body: '1' }
  assert.equal((await explain('/paid', { method: 'POST', headers: { 'Idempotency-Key': '"1"' } })).outcome, 'sent')
  await send(port, paid)
  const repeated = await explain('/paid', {
    method: 'POST',
    headers: { 'Idempotency-Key': '"1"', Host: `127.0.0.1:${port}` },
    body: '1',
  })
  assert.equal(repeated.status, 200)
  await send(port, { path: '/hello' })
  const limited = await explain('/hello')
  assert.deepEqual([limited.status, limited.code], [429, 'rate-limited'])
  assert.ok(limited.reply.some(({ name }) => name === 'Retry-After'))
  assert.equal((await explain('/hello', { from: '203.0.113.9' })).status, 204)
})

test('explanations change nothing: no counts, limits, stored replies or keys, and no requests to services', async (t) => {
  const { explain, ask, port, service } = await setUp(t, full)
  await send(port, { path: '/books/1' })
  await send(port, { path: '/paid', method: 'POST', headers: { 'Idempotency-Key': '"1"' } })
  const state = async () => {
    const { text } = await ask('/metrics')
    const metrics = text
      .split('\n')
      .filter(
        (line) => /^(?:sallyport|http)_/.test(line) && !/^sallyport_(?:heap|worker|event_loop|process)/.test(line),
      )
    const limits = ['127.0.0.1', 'key:partner', 'user:42'].map(
      async (client) => (await ask(`/limits/${client}?all=true`)).json,
    )
    const remaining = (await Promise.all(limits)).map((all) => JSON.stringify(all).match(/"remaining":\d+/g))
    const { json } = await ask('/requests')
    return { metrics, remaining, requests: (json['requests'] as unknown[]).length, sent: service.received.length }
  }
  const before = await state()
  for (let i = 0; i < 20; i++)
    for (const [url, question] of [
      ['/books/1', {}],
      ['/books/2', { headers: { 'X-API-Key': KEY } }],
      ['/books/2', { headers: { 'X-API-Key': 'wrong' } }],
      ['/editors', { as: { id: '42', roles: ['editor'] } }],
      ['/paid', { method: 'POST', headers: { 'Idempotency-Key': '"1"' } }],
      ['/paid', { method: 'POST', headers: { 'Idempotency-Key': `"of ${i}"` } }],
      ['/books/1', { method: 'DELETE' }],
      ['/divided', {}],
      ['/nowhere', {}],
    ] as const)
      await explain(url, question)
  const after = await state()
  assert.deepEqual(
    after.metrics.filter((line) => !before.metrics.includes(line)),
    [],
  )
  assert.deepEqual({ ...after, metrics: [] }, { ...before, metrics: [] })
})

test('a custom policy is run only if it declares runsDry', async (t) => {
  let calls = 0
  const own = (name: string, runsDry?: true) =>
    definePolicy({
      name,
      summary: 'Counts.',
      options: z.strictObject({}),
      ...(runsDry && { runsDry }),
      create: () => (next) => (exchange) => {
        calls++
        exchange.headers.set('X-Own', name)
        return next(exchange)
      },
    })
  const chain = [own('careless'), own('careful', true)]
  const routes: GatewayInput['routes'] = [{ id: 'books', match: { path: '/books/*' }, service: 'books' }]
  const policies = { careless: {}, careful: {} }
  const { explain } = await setUp(t, { policies, routes }, chain)
  const reported = await explain('/books/1')
  assert.deepEqual(
    reported.policies.map(({ name, verdict }) => [name, verdict]),
    [
      ['careless', 'not-run'],
      ['careful', 'passed'],
    ],
  )
  assert.equal(calls, 1)
  assert.match(reported.notes.join(' '), /careless was not run/)
})

test('invalid questions are rejected', async (t) => {
  const { ask } = await setUp(t, full)
  const refusal = async (json: object) => {
    const { status, json: problem } = await ask('/explain', { method: 'POST', json })
    return [status, problem['detail']]
  }
  assert.deepEqual((await refusal({ url: 'books' }))[0], 400)
  assert.deepEqual((await refusal({ url: '/', from: 'here' }))[0], 400)
  assert.deepEqual(await refusal({ url: '/', form: '::1' }), [400, 'form: unknown key "form"; did you mean "from"?'])
  assert.deepEqual(await refusal({ url: '/', worker: 7 }), [503, 'Worker 7 does not answer.'])
  const [status, detail] = await refusal({ url: '/', listener: 'none' })
  assert.equal(status, 400)
  assert.match(String(detail), /^There is no listener none; the listeners are: 127\.0\.0\.1:/)
})
