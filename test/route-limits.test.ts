import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

type Route = NonNullable<GatewayInput['routes']>[number]
type Service = NonNullable<GatewayInput['services']>[string]

const inTurn = { balancer: 'round-robin', passive: false } as const
const sick: RequestListener = (_, response) => void response.writeHead(503).end('no')

/** How often each of two instances was tried for one request; they take turns, and one is failing. */
async function askedBy(t: TestContext, route: Partial<Route>, service: Partial<Service> = {}): Promise<number[]> {
  const [good, bad] = [await startService(t), await startService(t, sick)]
  const { routes, ...config } = proxyTo([bad.url, good.url], { service: { ...inTurn, ...service } })
  const { port } = await startGateway(t, { ...config, routes: [{ ...routes![0]!, ...route }] })
  const [one, other] = [await send(port), await send(port)]
  return [good.received.length, bad.received.length, ...[one.status, other.status].sort((a, b) => a - b)]
}

test('retry of a route overrides that of its service', async (t) => {
  assert.deepEqual(await askedBy(t, {}), [2, 2, 200, 200])
  assert.deepEqual(await askedBy(t, { retry: false }), [1, 1, 200, 503])
  assert.deepEqual(await askedBy(t, {}, { retry: false }), [1, 1, 200, 503])
  assert.deepEqual(await askedBy(t, { retry: {} }, { retry: false }), [2, 2, 200, 200])
  assert.deepEqual(await askedBy(t, { retry: { statuses: [500] } }), [1, 1, 200, 503])
  assert.deepEqual(await askedBy(t, { retry: { attempts: 2 } }, { retry: { statuses: [500] } }), [1, 1, 200, 503])
})

/** A gateway whose route has that buffer, and its client. */
async function upload(t: TestContext, buffer: Route['buffer'] | undefined) {
  let begun = Promise.withResolvers<void>()
  const service = await startService(t, (request, response) => {
    let bytes = 0
    begun.resolve()
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => response.end(`${bytes} ${request.headers['content-length'] ?? 'chunked'}`))
  })
  const { routes, ...config } = proxyTo(service.url)
  const route = { ...routes![0]!, ...(buffer !== undefined && { buffer }) }
  const { port } = await startGateway(t, { ...config, routes: [route] })
  const client = await connect(t, port)
  return { service, client, begun: begun.promise }
}

const LENGTH = 200_000

test('with a buffer, a long body is read completely before the service is called', async (t) => {
  const { service, client } = await upload(t, '1mb')
  await client.writeInPieces([
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LENGTH}\r\n\r\n`,
    ...Array.from({ length: 19 }, () => Buffer.alloc(LENGTH / 20, 'x')),
  ])
  assert.equal(service.received.length, 0)
  client.write(Buffer.alloc(LENGTH / 20, 'x'))
  assert.equal((await client.reply()).body.toString(), `${LENGTH} ${LENGTH}`)
})

test('a body of unknown length is buffered too, and 100 Continue sent', async (t) => {
  const { service, client } = await upload(t, '1mb')
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n')
  assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 100 /)
  await client.writeInPieces(['5\r\nabcde\r\n'])
  assert.equal(service.received.length, 0)
  client.write('0\r\n\r\n')
  assert.equal((await client.reply()).body.toString(), '5 5')
})

test('a body that exceeds the buffer is forwarded once the buffer is full', async (t) => {
  const { client, begun } = await upload(t, '100kb')
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LENGTH}\r\n\r\n`)
  client.write(Buffer.alloc(150_000, 'x'))
  await begun
  client.write(Buffer.alloc(LENGTH - 150_000, 'x'))
  assert.equal((await client.reply()).body.toString(), `${LENGTH} ${LENGTH}`)
})

test('without a buffer the service is called at once', async (t) => {
  const { client, begun } = await upload(t, false)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
  await begun
  client.write('defghij')
  assert.equal((await client.reply()).body.toString(), '10 10')
})
