import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { GatewayInput } from '../src/gateway.ts'
import { type Ask, type Answer, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { until } from './support/redis.ts'
import { startService } from './support/service.ts'

type Options = Exclude<NonNullable<NonNullable<GatewayInput['policies']>['idempotency']>, false>

/** A service that numbers its requests, behind a gateway that makes them idempotent. */
async function startOnce(
  t: TestContext,
  options: Options = {},
  listener: RequestListener = numbered(),
  config: GatewayInput & Parameters<typeof proxyTo>[1] = {},
) {
  const service = await startService(t, listener)
  const { policies, ...rest } = config
  const all = { ...rest, policies: { ...policies, idempotency: options } }
  return { service, ...(await startGateway(t, proxyTo(service.url, all))) }
}

function numbered(): RequestListener {
  let done = 0
  return (incoming, response) => {
    incoming.resume().on('end', () => {
      response.writeHead(201, { 'Content-Type': 'application/json', Location: `/orders/${++done}` })
      response.end(JSON.stringify({ order: done }))
    })
  }
}

function post(port: number, key: string | string[], ask: Ask = {}): Promise<Answer> {
  return send(port, {
    method: 'POST',
    path: '/orders',
    body: 'a',
    ...ask,
    headers: { 'Idempotency-Key': key, ...ask.headers },
  })
}

function typeOf({ text: problem }: Answer): unknown {
  return (JSON.parse(problem) as Record<string, unknown>)['type']
}

const OUTSTANDING = 'urn:sallyport:error:idempotency-outstanding'
const UNREPEATABLE = 'urn:sallyport:error:idempotency-unrepeatable'
const REUSED = 'urn:sallyport:error:idempotency-key-reused'

test('a repeated request is executed once, and its repeat gets the same reply, marked as replayed', async (t) => {
  const { service, port, log } = await startOnce(t)
  const first = await post(port, '"k1"')
  const again = await post(port, '"k1"')
  assert.deepEqual([first.status, first.text, first.headers['idempotent-replayed']], [201, '{"order":1}', undefined])
  assert.deepEqual([again.status, again.text, again.headers['idempotent-replayed']], [201, '{"order":1}', 'true'])
  assert.equal(again.headers['location'], '/orders/1')
  assert.equal(again.headers['content-type'], 'application/json')
  assert.equal(service.received.length, 1)
  assert.equal(service.received[0]?.headers['idempotency-key'], '"k1"')
  assert.equal((await post(port, '"k2"')).text, '{"order":2}')
  await log.line({ message: 'API Gateway Request', idempotency: 'kept' })
  await log.line({ message: 'API Gateway Request', idempotency: 'replayed', status_code: 201, instance: null })
  const metrics = (await send(port, { path: '/metrics' })).text
  assert.match(metrics, /^sallyport_idempotency_total\{outcome="kept"\} 2$/m)
  assert.match(metrics, /^sallyport_idempotency_total\{outcome="replayed"\} 1$/m)
  assert.match(metrics, /^sallyport_idempotency_keys 2$/m)
})

test('a key is the same with and without quotes, and an invalid key is 400', async (t) => {
  const { service, port } = await startOnce(t)
  const uuid = '8e03978e-40d5-43dd-bc93-6894a57f9324'
  await post(port, uuid)
  assert.equal((await post(port, `"${uuid}";v=1`)).headers['idempotent-replayed'], 'true')
  for (const wrong of ['""', '"a', 'a b', '"a", "b"', 'a,b', '("a")', 'a'.repeat(256), `"${'a'.repeat(256)}"`]) {
    const { status, text: problem } = await post(port, wrong)
    assert.equal(status, 400, wrong)
    assert.match(problem, /Idempotency-Key/)
  }
  assert.equal((await post(port, ['"a"', '"b"'])).status, 400)
  assert.equal((await post(port, 'a'.repeat(255))).status, 201)
  assert.equal(service.received.length, 2)
})

test('requests without a key are always executed, unless a key is required', async (t) => {
  const { service, port } = await startOnce(t, { required: true, methods: ['POST'] })
  const { status, text: problem } = await send(port, { method: 'POST', body: 'a' })
  assert.deepEqual([status, service.received.length], [400, 0])
  assert.match(problem, /POST needs the field Idempotency-Key/)
  assert.equal((await send(port)).status, 201)
  for (let i = 0; i < 2; i++) assert.equal((await post(port, '"p"', { method: 'PATCH' })).status, 201)
  assert.equal(service.received.length, 3)
  const plain = await startOnce(t)
  for (let i = 0; i < 2; i++) assert.equal((await send(plain.port, { method: 'POST', body: 'a' })).status, 201)
  for (let i = 0; i < 2; i++) assert.equal((await post(plain.port, '"g"', { method: 'GET' })).status, 201)
  assert.equal(plain.service.received.length, 4)
})

test('a different request with the same key is 422', async (t) => {
  const { service, port } = await startOnce(t)
  const headers = { 'Content-Type': 'text/plain' }
  await post(port, '"k"', { headers })
  const others: Ask[] = [
    { body: 'b', headers },
    { body: '', headers },
    { path: '/orders?x=1', headers },
    { path: '/others', headers },
    { method: 'PATCH', headers },
    { headers: { 'Content-Type': 'application/json' } },
    { headers: { ...headers, Cookie: 'session=other' } },
    { headers: { ...headers, Authorization: 'Bearer other' } },
    { headers: { ...headers, Host: 'other.example' } },
  ]
  for (const other of others) {
    const answer = await post(port, '"k"', other)
    assert.deepEqual([answer.status, typeOf(answer)], [422, REUSED], JSON.stringify(other))
  }
  assert.equal((await post(port, '"k"', { headers: { ...headers, Accept: 'x/y', 'User-Agent': 'other' } })).status, 201)
  assert.equal(service.received.length, 1)
})

test('clients and routes have separate keys', async (t) => {
  const service = await startService(t, numbered())
  const { port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    policies: {
      idempotency: {},
      auth: {
        public: ['/open/*'],
        methods: {
          'api-key': { keys: ['a', 'b'].map((id) => ({ id, owner: 'both', sha256: hash('sha256', id.repeat(32)) })) },
        },
      },
    },
    routes: [
      { id: 'a', match: { path: '/*' }, service: 'backend' },
      { id: 'b', match: { path: '/open/*' }, service: 'backend' },
    ],
  })
  const as = (key: string): Ask => ({ path: '/x', headers: { 'X-API-Key': key.repeat(32) } })
  assert.equal((await post(port, '"k"', as('a'))).text, '{"order":1}')
  assert.equal((await post(port, '"k"', as('b'))).text, '{"order":2}')
  assert.equal((await post(port, '"k"', { path: '/open/x' })).text, '{"order":3}')
  assert.equal((await post(port, '"k"', { path: '/open/x', localAddress: '127.0.0.2' })).text, '{"order":4}')
  assert.equal((await post(port, '"k"', as('a'))).text, '{"order":1}')
})

function responseOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve) => void outgoing.once('response', resolve))
}

/** A service that answers on demand. */
function held() {
  const waiting: ServerResponse[] = []
  const listener: RequestListener = (incoming, response) => {
    incoming.resume().on('end', () => waiting.push(response))
  }
  return { waiting, listener }
}

test('while the first request is in progress repeats are 409, and afterwards get its reply', async (t) => {
  const { waiting, listener } = held()
  const { port, service } = await startOnce(t, {}, listener)
  const first = post(port, '"k"')
  await until('the first request', () => waiting.length === 1)
  const twin = await post(port, '"k"')
  assert.deepEqual([twin.status, typeOf(twin), twin.headers['retry-after']], [409, OUTSTANDING, '1'])
  assert.equal((await post(port, '"k"', { path: '/other' })).status, 422)
  waiting[0]!.end('done')
  assert.equal((await first).text, 'done')
  assert.equal((await post(port, '"k"')).text, 'done')
  assert.equal(service.received.length, 1)
})

test('a request whose client disconnects still completes, and a repeat gets its reply', async (t) => {
  for (const chunked of [false, true]) {
    const { waiting, listener } = held()
    const { port, service } = await startOnce(t, {}, listener)
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/orders',
      headers: { 'Idempotency-Key': 'k' },
    })
    outgoing.on('error', () => {})
    outgoing.end('a')
    await until('the first request', () => waiting.length === 1)
    if (chunked) {
      waiting[0]!.write('do')
      const response = await responseOf(outgoing)
      response.on('error', () => {})
    }
    outgoing.destroy()
    if (!chunked) assert.equal((await post(port, 'k')).status, 409)
    waiting[0]!.end(chunked ? 'ne' : 'done')
    await until('the reply to be stored', async () => (await post(port, 'k')).status === 200)
    const again = await post(port, 'k')
    assert.deepEqual([again.text, again.headers['idempotent-replayed']], ['done', 'true'])
    assert.equal(service.received.length, 1)
  }
})

test('an aborted upload releases its key', async (t) => {
  const { port, service } = await startOnce(t)
  const headers = { 'Idempotency-Key': 'k', 'Content-Length': 300_000 }
  const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/orders', headers })
  outgoing.on('error', () => {})
  outgoing.write('x'.repeat(200_000))
  await until('the start of the upload to reach the service', () => service.received.length === 1)
  outgoing.destroy()
  await until('the key to be released', async () => (await post(port, 'k')).status !== 409)
  const again = await post(port, 'k')
  assert.deepEqual([again.text, again.headers['idempotent-replayed']], ['{"order":1}', 'true'])
})

test('long bodies are compared completely, and forwarded as they arrive', async (t) => {
  const sizes: number[] = []
  const { port } = await startOnce(t, {}, (incoming, response) => {
    void text(incoming.setEncoding('latin1')).then((body) => {
      sizes.push(body.length)
      response.end(body.slice(-1))
    })
  })
  const body = Buffer.alloc(1024 ** 2, 'x')
  const other = Buffer.from(body)
  other.write('y', body.length - 1)
  assert.equal((await post(port, '"k"', { body })).text, 'x')
  assert.equal((await post(port, '"k"', { body })).text, 'x')
  assert.equal((await post(port, '"k"', { body, headers: { 'Transfer-Encoding': 'chunked' } })).text, 'x')
  assert.equal((await post(port, '"k"', { body: other })).status, 422)
  assert.deepEqual(sizes, [body.length])
})

test('a reply sent in pieces is replayed as a whole', async (t) => {
  const body = randomBytes(300_000)
  const { port, service } = await startOnce(t, {}, (incoming, response) => {
    incoming.resume()
    if (incoming.url === '/known') response.setHeader('Content-Length', body.length)
    response.write(body.subarray(0, 100_000))
    setImmediate(() => response.end(body.subarray(100_000)))
  })
  for (const path of ['/known', '/unknown']) {
    assert.deepEqual((await post(port, `"${path}"`, { path })).body, body)
    const again = await post(port, `"${path}"`, { path })
    assert.deepEqual(again.body, body)
    assert.equal(again.headers['idempotent-replayed'], 'true')
  }
  assert.equal(service.received.length, 2)
})

const streams: RequestListener = ({ url }, response) => {
  if (url === '/events') response.setHeader('Content-Type', 'text/event-stream')
  if (url === '/known') response.setHeader('Content-Length', 2000)
  response.write('x'.repeat(1000))
  setImmediate(() => response.end('y'.repeat(1000)))
}

test('a request whose reply could not be stored is not executed again', async (t) => {
  const { port, service } = await startOnce(t, { maxBody: '1kb' }, streams)
  for (const path of ['/events', '/known', '/unknown']) {
    const first = await post(port, path, { path })
    assert.deepEqual([first.status, first.body.length], [200, 2000])
    const again = await post(port, path, { path })
    assert.deepEqual([again.status, typeOf(again), again.headers['retry-after']], [409, UNREPEATABLE, undefined])
  }
  assert.equal(service.received.length, 3)
})

test('with unrepeatable: forward it is sent to the service again', async (t) => {
  const { port, service } = await startOnce(t, { maxBody: '1kb', unrepeatable: 'forward' }, streams)
  for (const path of ['/events', '/known', '/unknown'])
    for (let i = 0; i < 2; i++) assert.equal((await post(port, path, { path })).body.length, 2000)
  assert.equal(service.received.length, 6)
})

test('a request that the service did not execute can be repeated with the same key', async (t) => {
  for (const status of [401, 408, 425, 429, 503]) {
    const replies = [status, 200]
    const { port } = await startOnce(t, {}, (_, response) => void response.writeHead(replies.shift()!).end())
    assert.equal((await post(port, '"k"')).status, status)
    assert.equal((await post(port, '"k"')).status, 200)
    assert.equal((await post(port, '"k"')).headers['idempotent-replayed'], 'true')
  }
})

test('any other reply is replayed, whether success or failure', async (t) => {
  for (const status of [204, 303, 400, 404, 409, 422, 500]) {
    const { port, service } = await startOnce(t, {}, (_, response) => void response.writeHead(status).end())
    for (let i = 0; i < 2; i++) assert.equal((await post(port, '"k"')).status, status)
    assert.equal(service.received.length, 1)
  }
})

test('if no instance could be reached the key is released', async (t) => {
  const { port, service } = await startOnce(t)
  await service.kill()
  assert.equal((await post(port, '"k"')).status, 503)
  const other = await startService(t, numbered(), { port: service.port })
  assert.equal((await post(port, '"k"')).status, 201)
  assert.equal(other.received.length, 1)
})

test('after a failure with unknown outcome the request is not executed again', async (t) => {
  const failures: Record<string, RequestListener> = {
    reset: (_, response) => void response.socket!.resetAndDestroy(),
    'time-out': () => {},
    502: (_, response) => void response.writeHead(502).end(),
    504: (_, response) => void response.writeHead(504).end(),
  }
  for (const [name, failure] of Object.entries(failures)) {
    const { port, service } = await startOnce(t, {}, failure, { service: { timeouts: { response: '100ms' } } })
    assert.ok((await post(port, '"k"')).status >= 502, name)
    const again = await post(port, '"k"')
    assert.deepEqual([again.status, typeOf(again)], [409, UNREPEATABLE], name)
    assert.equal(service.received.length, 1, name)
  }
})

test('other policies treat a replayed reply like any other', async (t) => {
  const body = JSON.stringify('x'.repeat(5000))
  const { port } = await startOnce(
    t,
    {},
    (_, response) => void response.writeHead(200, { 'Content-Type': 'application/json' }).end(body),
    { policies: { compression: {}, 'correlation-id': {}, 'rate-limit': {}, cors: { origins: ['https://a.example'] } } },
  )
  const headers = { 'Accept-Encoding': 'gzip', Origin: 'https://a.example' }
  const first = await post(port, '"k"', { headers: { ...headers, 'X-Correlation-ID': 'one' } })
  const again = await post(port, '"k"', { headers: { ...headers, 'X-Correlation-ID': 'two' } })
  const plain = await post(port, '"k"', { headers: { 'X-Correlation-ID': 'three' } })
  assert.deepEqual(gunzipSync(first.body).toString(), body)
  assert.deepEqual(gunzipSync(again.body).toString(), body)
  assert.equal(plain.text, body)
  assert.equal(plain.headers['access-control-allow-origin'], undefined)
  assert.deepEqual(
    [first, again, plain].map((each) => each.headers['x-correlation-id']),
    ['one', 'two', 'three'],
  )
  assert.match(String(again.headers['ratelimit']), /r=98/)
  assert.equal(again.headers['access-control-allow-origin'], 'https://a.example')
})

test('a repeated reply has no content coding that only the first client accepted', async (t) => {
  const { service, port } = await startOnce(t, {}, ({ headers }, response) => {
    const isCoded = headers['accept-encoding'] === 'gzip'
    response.writeHead(201, isCoded ? { 'Content-Encoding': 'gzip' } : {})
    response.end(isCoded ? gzipSync('order') : 'order')
  })
  const first = await post(port, '"k"', { headers: { 'Accept-Encoding': 'gzip' } })
  const again = await post(port, '"k"')
  assert.equal(service.received[0]?.headers['accept-encoding'], 'identity')
  for (const { headers, text: body } of [first, again])
    assert.deepEqual([headers['content-encoding'], body], [undefined, 'order'])
})

test('once a client has an error page, a repeat gets it at once, even if the service has not sent its error to the end', async (t) => {
  const waiting: ServerResponse[] = []
  const { port } = await startOnce(
    t,
    {},
    (_, response) => {
      response.writeHead(500).write('part ')
      waiting.push(response)
    },
    { policies: { 'error-pages': { '5xx': { body: 'sorry', services: true } } } },
  )
  let isAnswered = false
  const ask = () => post(port, '"k"', { headers: { Accept: 'text/html' } })
  const first = ask().finally(() => {
    isAnswered = true
  })
  await until('the first request', () => waiting.length === 1)
  assert.equal((await ask()).status, 409)
  assert.equal(isAnswered, false)
  waiting[0]!.end('and rest')
  assert.deepEqual([(await first).status, (await first).text], [500, 'sorry'])
  const again = await ask()
  assert.deepEqual([again.status, again.text, again.headers['idempotent-replayed']], [500, 'sorry', 'true'])
})

test('an error that breaks off is 502, and its request is not executed again', async (t) => {
  const { port } = await startOnce(t, {}, (_, response) => {
    response.writeHead(500, { 'Content-Length': 9 }).write('part')
    setImmediate(() => response.destroy())
  })
  assert.equal((await post(port, '"k"')).status, 502)
  assert.equal(typeOf(await post(port, '"k"')), UNREPEATABLE)
})

test('a long error with trailers is passed on as it arrives, and its request is not executed again', async (t) => {
  const { port } = await startOnce(t, { maxBody: '1kb' }, (_, response) => {
    response.writeHead(500, { Trailer: 'X-Sum' }).write('x'.repeat(1000))
    response.addTrailers({ 'X-Sum': '1' })
    setImmediate(() => response.end('y'.repeat(1000)))
  })
  assert.equal((await post(port, '"k"')).text, 'x'.repeat(1000) + 'y'.repeat(1000))
  assert.equal(typeOf(await post(port, '"k"')), UNREPEATABLE)
})

test('a request rejected by validation does not use its key', async (t) => {
  const { port } = await startOnce(t, {}, numbered(), {
    policies: { validation: { body: { schema: { type: 'object' } } } },
  })
  const headers = { 'Content-Type': 'application/json' }
  assert.equal((await post(port, '"k"', { headers, body: '[]' })).status, 422)
  assert.equal((await post(port, '"k"', { headers, body: '{}' })).status, 201)
  assert.equal((await post(port, '"k"', { headers, body: '{}' })).headers['idempotent-replayed'], 'true')
})

test('a client that expects 100 Continue gets it, even if its body is only compared', async (t) => {
  const { port } = await startOnce(t)
  const ask = async (body: string) => {
    const headers = { 'Idempotency-Key': 'k', Expect: '100-continue', 'Content-Length': body.length }
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/orders', headers })
    outgoing.flushHeaders()
    await once(outgoing, 'continue')
    outgoing.end(body)
    const response = await responseOf(outgoing)
    return [response.statusCode, await text(response)]
  }
  assert.deepEqual(await ask('a'), [201, '{"order":1}'])
  assert.deepEqual(await ask('a'), [201, '{"order":1}'])
  assert.equal((await ask('b'))[0], 422)
})

test('keys survive a reload', async (t) => {
  const service = await startService(t, numbered())
  const stored = proxyTo(service.url, { admin: false, listeners: [{ address: '127.0.0.1:0' }] })
  const { gateway, port } = await startGateway(t, { ...stored, policies: { idempotency: {} } })
  await post(port, '"k"')
  await gateway.reload({ ...stored, policies: { idempotency: { ttl: '1h' }, 'server-timing': {} } })
  assert.equal((await post(port, '"k"')).headers['idempotent-replayed'], 'true')
  assert.equal(service.received.filter(({ method }) => method === 'POST').length, 1)
})

interface OpenApi {
  readonly paths: Record<string, Record<'get' | 'post', { parameters?: unknown; responses: object }>>
}

test('the API documentation describes the key and the possible rejections', async (t) => {
  const service = await startService(t, numbered())
  const { port } = await startGateway(t, {
    endpoints: {},
    // Otherwise its operations are listed only once it has been asked for them.
    services: { backend: { instances: [service.url], health: false, openapi: false } },
    policies: { idempotency: {} },
    routes: [{ id: 'orders', match: { path: '/orders', method: ['GET', 'POST'] }, service: 'backend' }],
  })
  const document = JSON.parse((await send(port, { path: '/openapi.json' })).text) as OpenApi
  const { get, post: documented } = document.paths['/orders']!
  assert.deepEqual([get.parameters, '409' in get.responses], [undefined, false])
  assert.deepEqual(documented.parameters, [
    {
      name: 'Idempotency-Key',
      in: 'header',
      description: 'A key for this request, the same each time that it is sent.',
      required: false,
      schema: { type: 'string', minLength: 1, maxLength: 255 },
      example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
    },
  ])
  for (const status of ['400', '409', '422', '503']) assert.ok(status in documented.responses, status)
})
