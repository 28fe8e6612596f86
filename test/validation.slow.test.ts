import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { start, temporaryFile } from './support/command.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect, startRawService } from './support/peer.ts'
import { refusal } from './support/problem.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

type Validation = NonNullable<GatewayInput['policies']>['validation']

const JSON_TYPE = { 'Content-Type': 'application/json' }
const order = {
  type: 'object',
  required: ['items'],
  properties: { items: { type: 'array', items: { properties: { price: { type: 'number', minimum: 0 } } } } },
}

/** A gateway in front of a service that sends bodies back as they came. */
async function setUp(t: TestContext, validation: Validation, config: GatewayInput = {}) {
  const service = await startService(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => response.end(Buffer.concat(chunks)))
  })
  const { port, log } = await startGateway(t, { ...proxyTo(service.url), policies: { validation }, ...config })
  return { service, port, log }
}

test('a valid body reaches the service unchanged', async (t) => {
  const { port } = await setUp(t, { body: { schema: order } })
  const body = '{ "items" : [ {"price": 1.50, "n": 12345678901234567890, "t": "\\u00e9é"} ] }\n'
  for (const headers of [JSON_TYPE, { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }]) {
    const reply = await send(port, { method: 'POST', headers, body })
    assert.equal(reply.status, 200)
    assert.equal(reply.text, body)
  }
})

test('an invalid body is 422 with JSON pointers, and the connection stays open', async (t) => {
  const { port, service } = await setUp(t, { body: { schema: order } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const body = '{"items":[{"price":"1"},{"price":-1}]}'
  for (const headers of [JSON_TYPE, { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }]) {
    const reply = await send(port, { method: 'POST', headers, body, agent })
    assert.equal(reply.status, 422)
    assert.equal(reply.headers['content-type'], 'application/problem+json')
    assert.equal(reply.headers.connection, undefined)
    const problem = JSON.parse(reply.text) as Record<string, unknown>
    assert.equal(problem['title'], 'Unprocessable content')
    assert.deepEqual(problem['errors'], [
      { pointer: '/items/0/price', in: 'body', detail: 'must be a number' },
      { pointer: '/items/1/price', in: 'body', detail: 'must be at least 0' },
    ])
  }
  assert.equal((await send(port, { method: 'POST', headers: JSON_TYPE, body: '{"items":[]}', agent })).status, 200)
  assert.equal(service.received.length, 1)
})

test('requests with invalid parameters do not reach the service', async (t) => {
  const { port, service } = await setUp(t, { query: { properties: { page: { type: 'integer', minimum: 1 } } } })
  assert.equal((await send(port, { path: '/?page=2&other=x' })).status, 200)
  const reply = await send(port, { path: '/?page=0' })
  assert.equal(reply.status, 400)
  assert.match(reply.text, /\{"pointer":"\/page","in":"query","detail":"must be at least 1"\}/)
  assert.deepEqual(
    service.received.map(({ url }) => url),
    ['/?page=2&other=x'],
  )
})

for (const [status, validation, head] of [
  [413, { body: '1kb' }, 'Content-Length: 2000'],
  [413, { body: { schema: order } }, 'Content-Type: application/json\r\nContent-Length: 2000000'],
  [415, { body: { types: ['application/json'] } }, 'Content-Type: text/plain\r\nContent-Length: 5'],
  [415, { body: { schema: order } }, 'Content-Type: text/plain\r\nTransfer-Encoding: chunked'],
  [400, { query: { required: ['page'] } }, 'Content-Length: 5'],
] as const)
  test(`what can be decided from the head is ${status} without 100 Continue (${JSON.stringify(validation)})`, async (t) => {
    const { port, service } = await setUp(t, validation as Validation)
    const client = await connect(t, port)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${head}\r\n\r\n`)
    await refusal(client, status)
    assert.equal(service.received.length, 0)
  })

test('a client that expects 100 Continue gets it if its body is to be validated', async (t) => {
  const { port } = await setUp(t, { body: { schema: order } })
  const client = await connect(t, port)
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n`)
  client.write('Content-Type: application/json\r\n\r\n')
  assert.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
  client.write('{}')
  assert.match((await client.reply()).start, / 422 /)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match((await client.reply()).start, / 200 /)
})

test('415 lists the accepted types', async (t) => {
  const { port } = await setUp(t, { body: { types: ['application/json', 'image/*'] } })
  for (const [method, field] of [
    ['POST', 'accept-post'],
    ['PATCH', 'accept-patch'],
    ['PUT', 'accept'],
  ] as const) {
    const reply = await send(port, { method, headers: { 'Content-Type': 'text/plain' }, body: 'x' })
    assert.equal(reply.status, 415)
    assert.equal(reply.headers.accept, 'application/json, image/*')
    assert.equal(reply.headers[field], 'application/json, image/*')
  }
  const image = { method: 'POST', headers: { 'Content-Type': 'Image/PNG; a=b' }, body: 'x' }
  assert.equal((await send(port, image)).status, 200)
})

test('a chunked body over the limit of its route is 413 during the stream, and the service never gets all of it', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, { ...proxyTo(service.url), policies: { validation: { body: '10b' } } })
  const client = await connect(t, port)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n')
  const peer = await service.accept()
  await peer.until('abcdef\r\n')
  client.write('6\r\nabcdef\r\n')
  await refusal(client, 413)
  assert.equal((await peer.rest()).toString(), '')
})

test('a chunked body to be validated is 413 as soon as it is too large', async (t) => {
  const { port, service } = await setUp(t, { body: { schema: order, limit: '10b' } })
  const client = await connect(t, port)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
  client.write('6\r\n[1,2,3\r\n')
  client.write('6\r\n,4,5,6\r\n')
  await refusal(client, 413)
  assert.equal(service.received.length, 0)
})

test('a route can accept more than limits.body', async (t) => {
  const service = await startService(t, (request, response) => {
    request.resume().on('end', () => response.end())
  })
  const { port } = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false } },
    limits: { body: '1kb' },
    routes: [
      { id: 'all', match: { path: '/*' }, service: 'backend' },
      { id: 'small', match: { path: '/small' }, service: 'backend', policies: { validation: { body: '10b' } } },
      { id: 'large', match: { path: '/large' }, service: 'backend', policies: { validation: { body: '100kb' } } },
    ],
  })
  for (const [path, size, status] of [
    ['/', 1_024, 200],
    ['/', 1_025, 413],
    ['/small', 10, 200],
    ['/small', 11, 413],
    ['/large', 102_400, 200],
    ['/large', 102_401, 413],
  ] as const)
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
      const reply = await send(port, { method: 'POST', path, headers, body: 'x'.repeat(size) })
      assert.equal(reply.status, status, `${path} ${size} ${JSON.stringify(headers)}`)
    }
})

const API = `
openapi: 3.0.3
paths:
  /orders/{id}:
    get:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
`

test('workers validate against the OpenAPI file, and check finds mistakes in it', async (t) => {
  const document = await temporaryFile(t, 'orders.openapi.yaml', API)
  const yaml = `
listeners: [{ address: 127.0.0.1:0 }]
workers: 1
policies: { validation: { openapi: { document: ${document} } } }
routes: [{ id: a, match: { path: /* }, reply: {} }, { id: b, match: { path: /orders/* }, reply: {} }]
`
  const { port } = await start(t, yaml)
  assert.equal((await send(port, { path: '/orders/7' })).status, 200)
  assert.equal((await send(port, { path: '/orders/seven' })).status, 400)
  assert.equal((await send(port, { path: '/none' })).status, 404)
  await writeFile(document, API.replace('integer', 'int'))
  const { code, stderr } = await runHere(['check', await temporaryFile(t, 'sallyport.yaml', yaml)])
  assert.equal(code, 1)
  assert.match(
    stderr,
    /sallyport\.yaml:4:\d+: policies\.validation\.openapi\.document: cannot be used: #\/paths\/~1orders~1\{id\}\/get: /,
  )
})

test('in report mode every request is forwarded unchanged, and log and metric show what is invalid', async (t) => {
  const document = {
    openapi: '3.1.0',
    paths: {
      '/a': {
        post: {
          parameters: [{ name: 'n', in: 'query', schema: { type: 'integer' } }],
          requestBody: { content: { 'application/json': { schema: order } } },
        },
      },
    },
  }
  const { port, log, service } = await setUp(
    t,
    { mode: 'report', openapi: { document }, body: { limit: '100b' } },
    { limits: { body: '1kb' } },
  )
  const good = '{"items":[]}'
  const chunked = { ...JSON_TYPE, 'Transfer-Encoding': 'chunked' }
  for (const [method, path, headers, body, code, pointer] of [
    ['POST', '/a?n=1', JSON_TYPE, good, null, null],
    ['POST', '/a', chunked, good, null, null],
    ['POST', '/a?n=x', JSON_TYPE, good, 'bad-request', '/n'],
    ['POST', '/a', JSON_TYPE, '{"items":1}', 'unprocessable-content', '/items'],
    ['POST', '/a', chunked, '{"items":1}', 'unprocessable-content', '/items'],
    ['POST', '/a', chunked, '{', 'bad-request', ''],
    ['POST', '/a', JSON_TYPE, `${good}${' '.repeat(100)}`, 'content-too-large', null],
    ['POST', '/a', chunked, `${good}${' '.repeat(100)}`, 'content-too-large', null],
    ['POST', '/a', { 'Content-Type': 'text/plain' }, 'x', 'unsupported-media-type', null],
    ['PUT', '/a', JSON_TYPE, good, 'method-not-allowed', null],
    ['POST', '/b', JSON_TYPE, good, 'not-found', null],
  ] as const) {
    const before = log.lines.length
    const reply = await send(port, { method, path, headers, body })
    assert.equal(reply.status, 200)
    assert.equal(reply.text, body)
    await log.line({ message: 'API Gateway Request' }, before)
    const told = log.lines
      .slice(before)
      .filter(({ message }) => message === 'The request would be refused by validation')
    const [first, ...others] = told.map(({ code: shown, errors }) => {
      return [shown, (errors as { pointer: string }[] | undefined)?.[0]?.pointer ?? null]
    })
    assert.deepEqual([first ?? [null, null], others], [[code, pointer], []], `${method} ${path} ${body}`)
  }
  assert.equal(service.received.length, 11)
  const metrics = await scrape(port)
  const counts = metrics.all('sallyport_validation_reports_total').map(({ labels, value }) => [labels['code'], value])
  assert.deepEqual(Object.fromEntries(counts), {
    'bad-request': 2,
    'not-found': 1,
    'method-not-allowed': 1,
    'content-too-large': 2,
    'unsupported-media-type': 1,
    'unprocessable-content': 2,
  })
  // What the listeners hold everybody to is no matter of a report.
  assert.equal(
    (await send(port, { method: 'POST', path: '/a', headers: JSON_TYPE, body: 'x'.repeat(1025) })).status,
    413,
  )
})

test('in report mode a limit can be raised but not lowered', async (t) => {
  for (const [limit, size, status] of [
    ['2kb', 2_048, 200],
    ['2kb', 2_049, 413],
    ['10b', 1_024, 200],
    ['10b', 1_025, 413],
  ] as const) {
    const { port } = await setUp(t, { mode: 'report', body: { limit } }, { limits: { body: '1kb' } })
    for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }])
      assert.equal(
        (await send(port, { method: 'POST', headers, body: 'x'.repeat(size) })).status,
        status,
        `${limit} ${size}`,
      )
  }
})

test('skipped patterns cause one warning at the start, and by check', async (t) => {
  const pattern = '^(a+)\\1$'
  const { port, log, service } = await setUp(t, {
    query: { properties: { a: { pattern }, b: { pattern: '^b$' } } },
    unusablePatterns: 'skip',
  })
  assert.equal((await send(port, { path: '/?a=x&b=b' })).status, 200)
  assert.equal((await send(port, { path: '/?a=x&b=x' })).status, 400)
  assert.equal(service.received.length, 1)
  const warnings = log.lines.filter(({ message }) => message === 'Check the configuration')
  assert.deepEqual(
    warnings.map(({ level, path }) => ({ level, path })),
    [{ level: 'warn', path: 'policies.validation.query' }],
  )
  const yaml = `routes: [{ id: a, match: { path: /a }, reply: {} }]
policies: { validation: { unusablePatterns: skip, query: { properties: { a: { pattern: '${pattern}' } } } } }
`
  const { code, stderr } = await runHere(['check', await temporaryFile(t, 'sallyport.yaml', yaml)])
  assert.equal(code, 0)
  assert.ok(
    stderr.endsWith(
      'sallyport.yaml:2:58: warning: policies.validation.query: #/properties/a/pattern: the pattern "^(a+)\\\\1$" has "\\1", a back reference, and cannot be tested in time linear in the text; it is skipped\n',
    ),
    stderr,
  )
})
