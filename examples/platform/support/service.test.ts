import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { after, test } from 'node:test'
import { z } from 'zod'
import { paging, text } from './fields.ts'
import { bodyLimit, startService } from './service.ts'
import { ask, objectsIn } from './test-client.ts'
import type { App } from './zod.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const greeting = z.strictObject({ text: text() })
const arrived = Promise.withResolvers<void>()
const slow = Promise.withResolvers<void>()

const info = { title: 'Test', description: 'For tests.' }
const config = { access: 'public' } as const
const schema = { response: { 200: greeting } } as const
const params = z.object({ id: z.string() })

function routes(app: App): void {
  app.get('/cached', { config: { ...config, cache: 'public, max-age=5' }, schema }, () => ({ text: 'cached' }))
  app.get('/things/:id', { config, schema: { ...schema, params } }, (call) => ({ text: call.params.id }))
  app.get('/things/special', { config, schema }, () => ({ text: 'the special one' }))
  app.get('/for-users', { schema }, ({ caller }) => ({ text: caller.id }))
  app.post('/for-users', { schema: { ...schema, body: greeting } }, ({ body }) => body)
  app.get('/broken', { config, schema }, () => {
    throw new Error('secret detail')
  })
  app.get('/talkative', { config, schema: { response: { 200: z.object({ text: text() }) } } }, () => {
    const row = { text: 'hello', passwordHash: 'secret detail' }
    return row
  })
  app.get('/slow', { config, schema }, async () => {
    arrived.resolve()
    await slow.promise
    return { text: 'slow' }
  })
  app.post('/greetings', { config, schema: { ...schema, body: greeting } }, ({ body }) => body)
  app.delete(
    '/greetings',
    { config, schema: { response: { 204: z.void() } } },
    (_, reply) => void reply.code(204).send(),
  )
  app.get('/page', { config, schema: { ...schema, querystring: paging } }, ({ query }) => ({
    text: `${query.limit}`,
  }))
}

const instance = await startService(info, { instance: 'test-1', port: 0, jwtSecret }, routes)
after(() => instance.close())

test('every reply names its instance', async () => {
  const answer = await ask(instance.url, '/health')
  assert.equal(answer.status, 200)
  assert.equal(answer.json['status'], 'healthy')
  assert.equal(answer.headers.get('x-instance'), 'test-1')
  assert.equal((await ask(instance.url, '/none')).headers.get('x-instance'), 'test-1')
})

test('a cacheable reply becomes 304 for a client that has it', async () => {
  const first = await ask(instance.url, '/cached')
  const etag = first.headers.get('etag') ?? ''
  assert.match(etag, /^"[\w-]+"$/)
  assert.equal(first.headers.get('cache-control'), 'public, max-age=5')
  const second = await ask(instance.url, '/cached', { headers: { 'If-None-Match': `"other", W/${etag}` } })
  assert.equal(second.status, 304)
  assert.equal(second.headers.get('etag'), etag)
  const third = await ask(instance.url, '/cached', { headers: { 'If-None-Match': '"other"' } })
  assert.equal(third.status, 200)
})

test('a reply that is not declared cacheable is no-store', async () => {
  assert.equal((await ask(instance.url, '/things/a')).headers.get('cache-control'), 'no-store')
})

test('HEAD is answered like GET without the body', async () => {
  const answer = await ask(instance.url, '/cached', { method: 'HEAD' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-length'), '17')
})

test('a literal path takes precedence over one with a parameter', async () => {
  assert.equal((await ask(instance.url, '/things/special')).json['text'], 'the special one')
  assert.equal((await ask(instance.url, '/things/a%2Fb')).json['text'], 'a/b')
})

test('an unknown path is 404, another method 405 with Allow, an invalid escape 400', async () => {
  const missing = await ask(instance.url, '/things')
  assert.equal(missing.status, 404)
  assert.equal(missing.headers.get('content-type'), 'application/problem+json')
  assert.equal(missing.json['title'], 'Not Found')
  const wrong = await ask(instance.url, '/cached', { method: 'DELETE' })
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD')
  assert.equal((await ask(instance.url, '/things/%zz')).status, 400)
})

test('a body that does not match the schema is 422 with the locations of the errors', async () => {
  const wrong = await ask(instance.url, '/greetings', { json: { text: '', 'a/b': 1 } })
  assert.equal(wrong.status, 422)
  assert.deepEqual(objectsIn(wrong.json, 'errors'), [
    { pointer: '#/text', detail: 'Too small: expected string to have >=1 characters' },
    { pointer: '#/a~1b', detail: 'is not known' },
  ])
  const missing = await ask(instance.url, '/greetings', { json: {} })
  assert.deepEqual(objectsIn(missing.json, 'errors'), [{ pointer: '#/text', detail: 'is required' }])
  const right = await ask(instance.url, '/greetings', { json: { text: 'good day' } })
  assert.equal(right.json['text'], 'good day')
})

const json = 'application/json; charset=utf-8'
const deep = '['.repeat(bodyLimit / 2) + ']'.repeat(bodyLimit / 2)

for (const [what, status, type, body] of [
  ['that is not JSON', 400, json, '{'],
  ['that ends early', 400, json, '{"text":"hell'],
  ['that sets the prototype of its object', 400, json, '{"text":"hello","__proto__":{"admin":true}}'],
  ['that sets the prototype of all objects', 400, json, '{"text":"hello","constructor":{"prototype":{"admin":true}}}'],
  ['over the limit', 413, json, JSON.stringify({ text: 'x'.repeat(bodyLimit) })],
  ['of another type', 415, 'text/plain', '{"text":"hello"}'],
  ['that is a form', 415, 'application/x-www-form-urlencoded', 'text=hello'],
  ['that is nested as deep as possible', 422, json, deep],
  ['that is a list', 422, json, '[{"text":"hello"}]'],
  ['that is null', 422, json, 'null'],
  ['that is missing', 422, json, ''],
] as const) {
  test(`a body ${what} is ${status}`, async () => {
    const answer = await ask(instance.url, '/greetings', { body, headers: { 'Content-Type': type } })
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    assert.equal(answer.json['status'], status)
    if (status === 415) assert.equal(answer.headers.get('accept'), 'application/json')
  })
}

test('a content type without a body is not rejected', async () => {
  const headers = { 'Content-Type': 'application/json' }
  assert.equal((await ask(instance.url, '/greetings', { method: 'DELETE', headers })).status, 204)
})

test('the caller is authenticated before the body is read', async () => {
  const headers = { 'Content-Type': 'application/json' }
  assert.equal((await ask(instance.url, '/for-users', { body: '{', headers })).status, 401)
  assert.equal((await ask(instance.url, '/for-users', { body: '{', headers, as: 'user-alice' })).status, 400)
  assert.equal((await ask(instance.url, '/for-users', { as: 'user-alice' })).json['text'], 'user-alice')
  // Nor does it matter where there is nothing.
  assert.equal((await ask(instance.url, '/nothing', { body: '{', headers })).status, 404)
  assert.equal((await ask(instance.url, '/cached', { body: '{', headers })).status, 405)
})

test('a reply contains only what its schema allows', async () => {
  assert.deepEqual((await ask(instance.url, '/talkative')).json, { text: 'hello' })
})

test('an invalid query is 400, and unknown parameters are ignored', async () => {
  assert.equal((await ask(instance.url, '/page?limit=7&utm_source=x')).json['text'], '7')
  const wrong = ['0', '101', 'ten', '1.5', ''].map((limit) => ask(instance.url, `/page?limit=${limit}`))
  for (const answer of await Promise.all(wrong)) {
    assert.equal(answer.status, 400)
    assert.deepEqual(objectsIn(answer.json, 'errors')[0]?.['pointer'], '#/limit')
  }
})

test('an unexpected error is 500 and not disclosed', async (t) => {
  const log = t.mock.method(process.stderr, 'write', () => true)
  const answer = await ask(instance.url, '/broken', { headers: { 'X-Correlation-ID': 'abc' } })
  assert.equal(answer.status, 500)
  assert.doesNotMatch(JSON.stringify(answer.json), /secret detail/)
  assert.equal(log.mock.callCount(), 1)
  assert.match(String(log.mock.calls[0]?.arguments[0]), /"name":"test-1".*"reqId":"abc".*secret detail/)
})

test('close lets a request in flight complete', async () => {
  const other = await startService(info, { instance: 'test-2', port: 0, jwtSecret }, routes)
  const answered = Promise.withResolvers<IncomingMessage>()
  request(`${other.url}/slow`, answered.resolve).end()
  await arrived.promise
  const closed = other.close()
  slow.resolve()
  const response = await answered.promise
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers.connection, 'close')
  response.resume()
  await closed
})

test('starting on a port that is taken rejects', async () => {
  const port = Number(new URL(instance.url).port)
  await assert.rejects(startService(info, { instance: 'test-3', port, jwtSecret }, routes), { code: 'EADDRINUSE' })
})
