import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { credentials, Metadata, ServerCredentials, status } from '@grpc/grpc-js'
import type { GatewayInput } from '../../src/gateway.ts'
import { proxyTo, startGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { ended, GrpcClient, nextMessage } from '../support/grpc-client.ts'
import { type ChatCall, type GrpcMethods, startGrpcService } from '../support/grpc-server.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { scrape } from '../support/metrics.ts'
import { authority, tlsListeners, writeLeaf } from '../support/tls.ts'

const GET = '/shop.v1.Users/Get'
const LIST = '/shop.v1.Users/List'
const COLLECT = '/shop.v1.Users/Collect'
const CHAT = '/shop.v1.Users/Chat'

const KEY = 'a key of a client'
const KEY_SHA256 = hash('sha256', KEY)

/** A gateway in front of a gRPC service, and its client. */
async function setUp(
  t: TestContext,
  methods: GrpcMethods = {},
  { config = {}, ...options }: TestGatewayOptions & { config?: GatewayInput } = {},
) {
  const service = await startGrpcService(t, methods)
  const { port, log, gateway } = await startGateway(
    t,
    proxyTo(service.url, { service: { http2: true }, ...config }),
    options,
  )
  return { service, gateway, port, log, client: new GrpcClient(t, `127.0.0.1:${port}`) }
}

test('all four kinds of methods work', async (t) => {
  const { client } = await setUp(t)
  const unary = await client.unary(GET, 'hello')
  assert.deepEqual([unary.status.code, unary.messages], [status.OK, ['hello']])

  const list = await ended(client.list(LIST, 'abc'))
  assert.deepEqual([list.status.code, list.messages], [status.OK, ['a', 'b', 'c']])

  const collected: string[] = []
  const collect = client.collect(COLLECT, (reply) => collected.push(reply.toString()))
  const collectEnd = ended(collect)
  for (const message of ['a', 'b', 'c']) collect.write(Buffer.from(message))
  collect.end()
  assert.equal((await collectEnd).status.code, status.OK)
  assert.deepEqual(collected, ['abc'])

  const chat = client.chat(CHAT)
  const chatEnd = ended(chat)
  for (const message of ['ping', 'pong']) {
    chat.write(Buffer.from(message))
    assert.equal(await nextMessage(chat), message)
  }
  chat.end()
  assert.equal((await chatEnd).status.code, status.OK)
})

test('calls work with TLS on both sides', async (t) => {
  const { cert, key } = authority.issue()
  const secured = ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }])
  const service = await startGrpcService(t, {}, secured)
  const instances = [`https://localhost:${service.port}`]
  const { port } = await startGateway(t, {
    ...tlsListeners([writeLeaf(t, authority.issue())]),
    services: { backend: { instances, health: false, http2: true, tls: { ca: authority.cert } } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const believing = credentials.createSsl(Buffer.from(authority.cert))
  const named = { 'grpc.ssl_target_name_override': 'localhost' }
  const client = new GrpcClient(t, `127.0.0.1:${port}`, believing, named)
  assert.deepEqual((await client.unary(GET, 'hello')).messages, ['hello'])
  const list = await ended(client.list(LIST, 'abc'))
  assert.deepEqual([list.messages, list.status.code], [['a', 'b', 'c'], status.OK])
})

test('a server can send before its client has sent anything', async (t) => {
  const clock = new ManualClock()
  const { client } = await setUp(
    t,
    {
      Chat(call) {
        call.write(Buffer.from('welcome'))
        call.on('data', () => {}).on('end', () => call.end())
      },
    },
    { clock },
  )
  const chat = client.chat(CHAT)
  const end = ended(chat)
  assert.equal(await nextMessage(chat), 'welcome')
  assert.equal(clock.now(), 0)
  chat.end()
  assert.equal((await end).status.code, status.OK)
})

test('metadata and error details are forwarded in both directions, binary ones included', async (t) => {
  const bytes = Buffer.from([0, 255, 10, 13, 44])
  const { client, service } = await setUp(t, {
    Get(call, reply) {
      const head = new Metadata()
      head.set('head', 'one')
      head.set('head-bin', bytes)
      call.sendMetadata(head)
      const tail = new Metadata()
      tail.set('tail', 'two')
      tail.set('tail-bin', bytes)
      tail.set('grpc-status-details-bin', bytes)
      reply({ code: status.FAILED_PRECONDITION, details: 'größer als 100% – nein', metadata: tail })
    },
  })
  const metadata = new Metadata()
  metadata.set('asked', 'three')
  metadata.set('asked-bin', bytes)
  const end = await client.unary(GET, 'hello', metadata)
  assert.deepEqual([end.status.code, end.status.details], [status.FAILED_PRECONDITION, 'größer als 100% – nein'])
  assert.deepEqual(end.head?.get('head'), ['one'])
  assert.deepEqual(end.head?.get('head-bin'), [bytes])
  assert.deepEqual(end.status.metadata.get('tail'), ['two'])
  assert.deepEqual(end.status.metadata.get('tail-bin'), [bytes])
  assert.deepEqual(end.status.metadata.get('grpc-status-details-bin'), [bytes])
  assert.deepEqual(service.received[0]?.get('asked'), ['three'])
  assert.deepEqual(service.received[0]?.get('asked-bin'), [bytes])
})

test('the status of a call is that of the service, also in log and metrics', async (t) => {
  const { client, port, log } = await setUp(t, {
    Get: ({ request }, reply) => {
      const code = Number(request.toString())
      if (code === 0) reply(null, request)
      else reply({ code, details: `code ${code}` })
    },
  })
  const codes = Array.from({ length: 17 }, (_, code) => code)
  for (const code of codes) assert.equal((await client.unary(GET, String(code))).status.code, code)
  await log.line({ grpc_status: 'UNAUTHENTICATED' })
  const names = codes.map((code) => status[code])
  assert.deepEqual(
    log.requests.map((line) => line['grpc_status']),
    names,
  )
  const counted = (await scrape(port)).all('sallyport_grpc_calls_total')
  assert.deepEqual(new Set(counted.map(({ labels }) => labels['grpc_status'])), new Set(names))
})

test('large messages are forwarded in both directions', async (t) => {
  const { client } = await setUp(t, {}, { config: { limits: { body: '20mb' } } })
  const large = 'x'.repeat(3_500_000)
  const { messages } = await client.unary(GET, large)
  assert.equal(messages[0]?.length, large.length)
})

test('compressed messages are forwarded unchanged', async (t) => {
  const { port } = await setUp(t, {}, { config: { policies: { compression: {} } } })
  const client = new GrpcClient(t, `127.0.0.1:${port}`, undefined, { 'grpc.default_compression_algorithm': 2 })
  const text = 'again and '.repeat(1_000)
  assert.deepEqual((await client.unary(GET, text)).messages, [text])
})

test('routes can match a whole service or one method', async (t) => {
  const [one, other] = [await startGrpcService(t), await startGrpcService(t)]
  const { port } = await startGateway(t, {
    services: {
      one: { instances: [one.url], http2: true, health: false },
      other: { instances: [other.url], http2: true, health: false },
    },
    routes: [
      { id: 'users', match: { path: '/shop.v1.Users/*' }, service: 'one' },
      { id: 'get', match: { path: '/shop.v1.Users/Get', headers: { 'x-canary': 'yes' } }, service: 'other' },
    ],
  })
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  const canary = new Metadata()
  canary.set('x-canary', 'yes')
  await client.unary(GET)
  await client.unary(GET, '', canary)
  await ended(client.list(LIST, 'a', canary))
  assert.deepEqual([one.received.length, other.received.length], [2, 1])
})

test('cancelling a call ends it at the service at once', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<ChatCall>()
  const { client, log } = await setUp(t, { Chat: begin })
  const chat = client.chat(CHAT)
  const end = ended(chat)
  chat.write(Buffer.from('hello'))
  const call = await begun
  const cancelled = once(call, 'cancelled')
  chat.cancel()
  await cancelled
  assert.equal((await end).status.code, status.CANCELLED)
  assert.equal((await log.line({ grpc_status: 'CANCELLED' }))['status_code'], 499)
})

test('cancelling a call between messages ends it at the service at once', async (t) => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<ChatCall>()
  const { client, log } = await setUp(t, {
    Chat(call) {
      call.write(Buffer.from('one'))
      begin(call)
    },
  })
  const chat = client.chat(CHAT)
  const end = ended(chat)
  await nextMessage(chat)
  const cancelled = once(await begun, 'cancelled')
  chat.cancel()
  await cancelled
  await end
  assert.equal((await log.line({ grpc_status: 'CANCELLED' }))['bytes'], 8)
})

test('the deadline of a call ends it at the service', async (t) => {
  const clock = new ManualClock()
  const { promise: begun, resolve: begin } = Promise.withResolvers<ChatCall>()
  const routes = [{ id: 'all', match: { path: '/*' }, service: 'backend', streaming: true }]
  const { client, log } = await setUp(t, { Chat: begin }, { clock, config: { routes } })
  const chat = client.chat(CHAT, undefined, { deadline: Date.now() + 8_000 })
  const end = ended(chat)
  chat.write(Buffer.from('hello'))
  const call = await begun
  const deadline = call.getDeadline()
  assert.ok(Number(deadline) <= Date.now() + 8_000)
  const cancelled = once(call, 'cancelled')
  clock.advance(8_500)
  await cancelled
  assert.equal((await end).status.code, status.DEADLINE_EXCEEDED)
  const line = await log.line({ grpc_status: 'DEADLINE_EXCEEDED' })
  assert.equal(line['code'], 'deadline-exceeded')
})

test('a service that dies between messages causes UNAVAILABLE', async (t) => {
  const { client, service } = await setUp(t, { Chat: (call) => void call.write(Buffer.from('one')) })
  const chat = client.chat(CHAT)
  const end = ended(chat)
  await nextMessage(chat)
  service.kill()
  assert.equal((await end).status.code, status.UNAVAILABLE)
})

test('UNAVAILABLE is retried on another instance if the method may be retried', async (t) => {
  const failing = await startGrpcService(t, { Get: (_, reply) => reply({ code: status.UNAVAILABLE, details: 'no' }) })
  const working = await startGrpcService(t)
  const { port, log } = await startGateway(
    t,
    proxyTo([failing.url, working.url], {
      service: { http2: true, balancer: 'round-robin', passive: false, retry: { grpc: ['shop.v1.Users/Get'] } },
    }),
  )
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  for (let i = 0; i < 4; i++) assert.equal((await client.unary(GET, 'hello')).status.code, status.OK)
  assert.equal((await log.line({ attempts: 2 }))['retried'], 'status')
  assert.ok(failing.received.length > 0)
})

test('an instance whose calls fail is ejected, also if the status is in trailers', async (t) => {
  const failing = await startGrpcService(t, {
    List(call) {
      call.write(Buffer.from('one'))
      call.emit('error', { code: status.UNAVAILABLE, details: 'no' })
    },
  })
  const working = await startGrpcService(t)
  const { port, log } = await startGateway(
    t,
    proxyTo([failing.url, working.url], {
      service: { http2: true, balancer: 'round-robin', passive: { consecutive: 3 } },
    }),
  )
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  const codes: number[] = []
  for (let i = 0; i < 40; i++) codes.push((await ended(client.list(LIST, 'a'))).status.code)
  assert.ok(codes.includes(status.UNAVAILABLE))
  assert.deepEqual(new Set(codes.slice(20)), new Set([status.OK]))
  const line = await log.line({ message: 'instance is ejected' })
  assert.match(String(line['reason']), /gRPC status UNAVAILABLE/)
})

test('auth, rate-limit and header policies apply to calls', async (t) => {
  const { client, service } = await setUp(
    t,
    {},
    {
      config: {
        policies: {
          'correlation-id': {},
          'request-headers': { set: { 'x-added': 'here' } },
          'response-headers': { set: { 'x-replied': 'there' } },
          auth: { methods: { 'api-key': { keys: [{ id: 'ci', sha256: KEY_SHA256 }] } } },
          'rate-limit': { tiers: { api_key: '2/h' } },
          cache: { ttl: '1h' },
          compression: {},
        },
      },
    },
  )
  assert.equal((await client.unary(GET)).status.code, status.UNAUTHENTICATED)
  const metadata = new Metadata()
  metadata.set('x-api-key', KEY)
  for (const message of ['a', 'b']) {
    const { messages, head } = await client.unary(GET, message, metadata)
    assert.deepEqual(messages, [message])
    assert.deepEqual(head?.get('x-replied'), ['there'])
  }
  assert.deepEqual(service.received[0]?.get('x-added'), ['here'])
  assert.deepEqual(service.received[0]?.get('x-api-key'), [])
  const limited = await client.unary(GET, 'c', metadata)
  assert.equal(limited.status.code, status.RESOURCE_EXHAUSTED)
  assert.equal(service.received.length, 2)
})
