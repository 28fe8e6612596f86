import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { after, test } from 'node:test'
import { bodyLimit } from './body.ts'
import { endpoint, endpointWithBody, endpointWithQuery } from './endpoint.ts'
import { pageFields } from './page.ts'
import { object, text } from './schema.ts'
import { listen } from './server.ts'
import { ask, objectsIn } from './test-client.ts'

const secret = 'a secret of at least thirty-two characters'
const greeting = object('Greeting', { text: text('hello') })
const docs = { id: 'x', summary: 'x', access: 'public', status: [200], reply: greeting } as const
const arrived = Promise.withResolvers<void>()
const slow = Promise.withResolvers<void>()

const definition = {
  title: 'Test',
  description: 'For tests.',
  endpoints: [
    endpoint({ ...docs, method: 'GET', path: '/cached', cache: 'public, max-age=5' }, () => ok('cached')),
    endpoint({ ...docs, method: 'GET', path: '/things/{id}' }, ({ parameter }) => ok(parameter('id'))),
    endpoint({ ...docs, method: 'GET', path: '/things/special' }, () => ok('the special one')),
    endpoint({ ...docs, method: 'GET', path: '/broken' }, () => {
      throw new Error('secret detail')
    }),
    endpoint({ ...docs, method: 'GET', path: '/slow' }, async () => {
      arrived.resolve()
      await slow.promise
      return ok('slow')
    }),
    endpointWithBody(greeting, { ...docs, method: 'POST', path: '/greetings' }, ({ body }) => ok(body.text)),
    endpointWithQuery(pageFields, { ...docs, method: 'GET', path: '/page' }, ({ query }) => ok(`${query.limit}`)),
  ],
}

const instance = await listen(definition, { instance: 'test-1', port: 0, jwtSecret: secret })
after(() => instance.close())

test('every reply names its instance', async () => {
  const answer = await ask(instance.url, '/health')
  assert.equal(answer.status, 200)
  assert.equal(answer.json['status'], 'healthy')
  assert.equal(answer.headers.get('x-instance'), 'test-1')
  assert.equal((await ask(instance.url, '/none')).headers.get('x-instance'), 'test-1')
})

test('a cacheable reply becomes 304 for a client that holds it', async () => {
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

test('a reply that is not declared cacheable says no-store', async () => {
  assert.equal((await ask(instance.url, '/things/a')).headers.get('cache-control'), 'no-store')
})

test('HEAD is answered like GET without the body', async () => {
  const answer = await ask(instance.url, '/cached', { method: 'HEAD' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-length'), '17')
})

test('a literal path wins over one with a parameter', async () => {
  assert.equal((await ask(instance.url, '/things/special')).json['text'], 'the special one')
  assert.equal((await ask(instance.url, '/things/a%2Fb')).json['text'], 'a/b')
})

test('an unknown path is 404, another method 405 with Allow, a bad escape 400', async () => {
  const missing = await ask(instance.url, '/things')
  assert.equal(missing.status, 404)
  assert.equal(missing.headers.get('content-type'), 'application/problem+json')
  assert.equal(missing.json['title'], 'Not Found')
  const wrong = await ask(instance.url, '/cached', { method: 'DELETE' })
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.get('allow'), 'GET, HEAD')
  assert.equal((await ask(instance.url, '/things/%zz')).status, 400)
})

test('a body that is not JSON is 400, of another type 415, of another shape 422 with the places', async () => {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' }
  assert.equal((await ask(instance.url, '/greetings', { body: '{', headers })).status, 400)
  assert.equal(
    (await ask(instance.url, '/greetings', { body: '{}', headers: { 'Content-Type': 'text/plain' } })).status,
    415,
  )
  const wrong = await ask(instance.url, '/greetings', { json: { text: '', more: 1 } })
  assert.equal(wrong.status, 422)
  assert.deepEqual(objectsIn(wrong.json, 'errors'), [
    { pointer: '#/more', detail: 'is not known' },
    { pointer: '#/text', detail: 'must have at least 1 characters' },
  ])
  const right = await ask(instance.url, '/greetings', { json: { text: 'good day' } })
  assert.equal(right.json['text'], 'good day')
})

test('a body over the limit is 413', async () => {
  const answer = await ask(instance.url, '/greetings', { json: { text: 'x'.repeat(bodyLimit) } })
  assert.equal(answer.status, 413)
})

test('a query of another shape is 400, and unknown parameters are ignored', async () => {
  assert.equal((await ask(instance.url, '/page?limit=7&utm_source=x')).json['text'], '7')
  const wrong = ['0', '101', 'ten', '1.5', ''].map((limit) => ask(instance.url, `/page?limit=${limit}`))
  for (const answer of await Promise.all(wrong)) {
    assert.equal(answer.status, 400)
    assert.deepEqual(objectsIn(answer.json, 'errors')[0]?.['pointer'], '#/limit')
  }
})

test('an unexpected error is 500 and keeps its secret', async (t) => {
  const log = t.mock.method(console, 'error', () => undefined)
  const answer = await ask(instance.url, '/broken')
  assert.equal(answer.status, 500)
  assert.doesNotMatch(JSON.stringify(answer.json), /secret detail/)
  assert.equal(log.mock.callCount(), 1)
})

test('closing lets a request in flight finish', async () => {
  const other = await listen(definition, { instance: 'test-2', port: 0, jwtSecret: secret })
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

test('a port that is taken rejects', async () => {
  const port = Number(new URL(instance.url).port)
  await assert.rejects(listen(definition, { instance: 'test-3', port, jwtSecret: secret }), { code: 'EADDRINUSE' })
})

function ok(value: string): { status: number; body: { text: string } } {
  return { status: 200, body: { text: value } }
}
