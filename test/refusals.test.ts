import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

const ORIGIN = 'https://app.example.com'

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const clock = new ManualClock()
  const service = await startService(t)
  const { port, log } = await startGateway(
    t,
    proxyTo(service.url, {
      limits: { body: '1kb', bodyTimeout: '5s' },
      policies: {
        'correlation-id': {},
        'security-headers': {},
        cors: { origins: [ORIGIN], credentials: true },
        'response-headers': { set: { 'X-Gateway': 'sallyport' } },
      },
      ...config,
    }),
    { clock },
  )
  return { clock, service, port, log, client: await connect(t, port) }
}

function post(fields: string, body = ''): string {
  return `POST /x HTTP/1.1\r\nHost: a\r\nOrigin: ${ORIGIN}\r\nX-Correlation-ID: c-1\r\n${fields}\r\n${body}`
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n'

for (const [what, request, status] of [
  ['a body over the limit, announced', post('Content-Length: 2000\r\n', 'begin'), 413],
  ['a body over the limit, chunked', post(CHUNKED, `7d0\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`), 413],
  ['a body over the limit after 100-continue', post('Content-Length: 2000\r\nExpect: 100-continue\r\n'), 413],
  ['an unknown expectation', post('Content-Length: 4\r\nExpect: 200-ok\r\n', 'body'), 417],
  ['an invalid chunk', post(CHUNKED, 'zz\r\n'), 400],
  ['trailers over the limit', post(CHUNKED, `0\r\n${'X: 1\r\n'.repeat(101)}\r\n`), 431],
  ['a body that stalls', post('Content-Length: 4\r\n', 'bo'), 408],
] as const) {
  const check = async (t: TestContext, route: 'service' | 'reply'): Promise<void> => {
    const fixed = { routes: [{ id: 'fixed', match: { path: '/*' }, reply: { status: 200 } }] }
    const { client, clock, service, log } = await setUp(t, route === 'service' ? {} : fixed)
    await client.writeInPieces([request])
    if (status === 408) clock.advance(5_300)
    const reply = await client.reply()
    assert.match(reply.start, new RegExp(` ${status} `))
    for (const [name, value] of [
      ['X-Correlation-ID', 'c-1'],
      ['Access-Control-Allow-Origin', ORIGIN],
      ['Access-Control-Allow-Credentials', 'true'],
      ['X-Content-Type-Options', 'nosniff'],
      ['X-Gateway', 'sallyport'],
      ['Connection', 'close'],
    ] as const)
      assert.equal(reply.fields.get(name), value, name)
    assert.equal((JSON.parse(reply.body.toString()) as { instance: string }).instance, 'c-1')
    assert.equal((await log.line({ message: 'API Gateway Request' }))['status_code'], status)
    assert.equal(service.received.length, 0)
  }
  test(`a rejection because of ${what} has the headers that policies add to every reply`, (t) => check(t, 'service'))
  // Such a route has its reply before it knows the rest of the body.
  if (status !== 408)
    test(`the same applies if the gateway answers the request itself: ${what}`, (t) => check(t, 'reply'))
}

test('authentication comes before the check of the body size', async (t) => {
  const { client } = await setUp(t, { policies: { auth: { methods: { 'api-key': { keys: [] } } } } })
  client.write(post('Content-Length: 2000\r\n'))
  assert.match((await client.reply()).start, / 401 /)
})

test('bytes after a rejected head are not parsed as a request', async (t) => {
  const { client, service } = await setUp(t)
  client.write(post('Content-Length: 2000\r\n', 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'))
  assert.match((await client.reply()).start, / 413 /)
  assert.equal(await client.closed(), 'end')
  assert.equal(service.received.length, 0)
})
