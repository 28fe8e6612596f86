import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

type Route = NonNullable<GatewayInput['routes']>[number]

async function setUp(
  t: TestContext,
  route: Partial<Route>,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  more: GatewayInput = {},
) {
  const service = await startService(t, answer)
  const { port } = await startGateway(t, {
    services: { app: { instances: [service.url], health: false } },
    routes: [{ id: 'app', match: { path: '/app/*' }, service: 'app', ...route }],
    ...more,
  })
  const client = await connect(t, port)
  return {
    service,
    async get(target: string, ...lines: string[]) {
      client.write(
        `GET ${target} HTTP/1.1\r\n${['Host: shop.example', ...lines].map((line) => `${line}\r\n`).join('')}\r\n`,
      )
      return client.reply()
    },
  }
}

const echo = ({ rawHeaders }: IncomingMessage, response: ServerResponse): void => {
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1] === 'X-Forwarded-Prefix')
  response.end(values.join(' | '))
}

test('a stripped prefix is sent in X-Forwarded-Prefix', async (t) => {
  const app = await setUp(t, { rewrite: { strip: '/app' } }, echo)
  assert.equal((await app.get('/app/x')).body.toString(), '/app')
  assert.equal((await app.get('/app')).body.toString(), '/app')
  assert.equal((await app.get('/app/x', 'X-Forwarded-Prefix: /forged')).body.toString(), '/app')
})

test('X-Forwarded-Prefix of a trusted proxy comes first', async (t) => {
  const app = await setUp(t, { rewrite: { strip: '/app' } }, echo, { trustedProxies: ['127.0.0.1'] })
  assert.equal((await app.get('/app/x', 'X-Forwarded-Prefix: /outer')).body.toString(), '/outer | /app')
})

test('a replaced prefix is not sent in X-Forwarded-Prefix', async (t) => {
  const app = await setUp(t, { rewrite: { prefix: '/app', with: '/v2' } }, echo)
  assert.equal((await app.get('/app/x')).body.toString(), '')
})

const REPLIES: readonly (readonly [name: string, value: string, mapped: string])[] = [
  ['Location', '/login?next=/x#top', '/app/login?next=/x#top'],
  ['Location', '/', '/app/'],
  ['Location', 'next', 'next'],
  ['Location', '//cdn.example/x', '//cdn.example/x'],
  ['Location', 'http://shop.example/a', 'http://shop.example/app/a'],
  ['Location', 'https://SHOP.example', 'https://SHOP.example/app/'],
  ['Location', 'https://other.example/a', 'https://other.example/a'],
  ['Location', 'http://INSTANCE/a?b', '/app/a?b'],
  ['Content-Location', '/a', '/app/a'],
  ['Set-Cookie', 'a=b; Path=/; HttpOnly', 'a=b; Path=/app; HttpOnly'],
  ['Set-Cookie', 'a=b; path=/x', 'a=b; path=/app/x'],
  ['Set-Cookie', 'a=b', 'a=b'],
]

for (const [name, value, mapped] of REPLIES)
  test(`mapReplies restores the prefix in replies: ${name}: ${value}`, async (t) => {
    const answer = ({ socket }: IncomingMessage, response: ServerResponse): void =>
      void response.setHeader(name, value.replace('INSTANCE', `127.0.0.1:${socket.localPort}`)).end()
    const app = await setUp(t, { rewrite: { strip: '/app', mapReplies: true } }, answer)
    assert.equal((await app.get('/app/x')).fields.get(name), mapped)
  })

test('mapReplies also maps back a replaced prefix, leaves other paths alone, and is off by default', async (t) => {
  const answer = (_: IncomingMessage, response: ServerResponse): void =>
    void response.setHeader('Set-Cookie', ['a=1; Path=/v2/x', 'b=2; Path=/v20']).setHeader('Location', '/v2/y').end()
  const replaced = await setUp(t, { rewrite: { prefix: '/app', with: '/v2', mapReplies: true } }, answer)
  const reply = await replaced.get('/app/x')
  assert.deepEqual(reply.fields.all('Set-Cookie'), ['a=1; Path=/app/x', 'b=2; Path=/v20'])
  assert.equal(reply.fields.get('Location'), '/app/y')
  const plain = await setUp(t, { rewrite: { prefix: '/app', with: '/v2' } }, answer)
  assert.equal((await plain.get('/app/x')).fields.get('Location'), '/v2/y')
})

test('a route can have longer or shorter timeouts than its service', async (t) => {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port } = await startGateway(
    t,
    {
      services: { app: { instances: [service.url], health: false, timeouts: { response: '10s', idle: '10s' } } },
      routes: [
        { id: 'all', match: { path: '/*' }, service: 'app' },
        { id: 'slow', match: { path: '/slow' }, service: 'app', timeouts: { response: '5m' } },
        { id: 'stream', match: { path: '/stream' }, service: 'app', timeouts: { idle: '5m' } },
        { id: 'fast', match: { path: '/fast' }, service: 'app', timeouts: { response: '1s' } },
      ],
    },
    { clock },
  )
  const ask = async (path: string) => {
    const client = await connect(t, port)
    client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
    const peer = await service.accept()
    await peer.request()
    return { client, peer }
  }
  const [fast, all, slow, stream] = [await ask('/fast'), await ask('/all'), await ask('/slow'), await ask('/stream')]
  stream.peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
  await stream.client.until('a')
  clock.advance(2_000)
  assert.match((await fast.client.reply()).start, / 504 /)
  clock.advance(10_000)
  assert.match((await all.client.reply()).start, / 504 /)
  clock.advance(30_000)
  slow.peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  stream.peer.write('1\r\nb\r\n0\r\n\r\n')
  assert.match((await slow.client.reply()).start, / 200 /)
  await stream.client.until('b')
})

test('path and host can be templates, and the query is kept', async (t) => {
  const tell = ({ url, headers }: IncomingMessage, response: ServerResponse): void =>
    void response.end(`${headers.host} ${url} ${String(headers['x-forwarded-host'])}`)
  const app = await setUp(
    t,
    { match: { path: '/app/{tenant}/*' }, rewrite: { path: '/t/{tenant}/v2/*', host: '{tenant}.internal' } },
    tell,
  )
  assert.equal((await app.get('/app/acme/x/y?z=1')).body.toString(), 'acme.internal /t/acme/v2/x/y?z=1 shop.example')
  assert.equal((await app.get('/app/a%20b')).body.toString(), 'a%20b.internal /t/a%20b/v2 shop.example')
})

test('the host can be rewritten together with a prefix, or alone', async (t) => {
  const tell = ({ url, headers }: IncomingMessage, response: ServerResponse): void =>
    void response.end(`${headers.host} ${url}`)
  for (const [rewrite, expected] of [
    [{ strip: '/app', host: 'a.internal:80' }, 'a.internal:80 /x'],
    [{ prefix: '/app', with: '/b', host: 'b.internal' }, 'b.internal /b/x'],
    [{ host: 'c.internal' }, 'c.internal /app/x'],
  ] as const)
    assert.equal((await (await setUp(t, { rewrite }, tell)).get('/app/x')).body.toString(), expected)
})
