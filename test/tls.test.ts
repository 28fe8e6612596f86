import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { authority, connectSecurely, tlsListeners, writeLeaf } from './support/tls.ts'

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const service = await startService(t)
  const listeners = tlsListeners([writeLeaf(t, authority.issue())])
  const started = await startGateway(t, proxyTo(service.url, { ...listeners, ...config }))
  return { ...started, service }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`requests over ${version} are answered in order, and X-Forwarded-Proto is https`, async (t) => {
    const { port, service } = await setUp(t)
    const { peer, socket } = await connectSecurely(t, port, { minVersion: version, maxVersion: version })
    assert.equal(socket.getProtocol(), version)
    for (let i = 0; i < 2; i++) {
      peer.write(GET)
      assert.equal((await peer.reply()).start, 'HTTP/1.1 200 OK')
    }
    assert.equal(service.received[1]!.headers['x-forwarded-proto'], 'https')
    assert.equal(service.received[1]!.headers['x-forwarded-host'], 'localhost')
  })

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a reply that is cut off ends in a reset, as over plain HTTP: ${version}`, async (t) => {
    const service = await startRawService(t)
    const listeners = tlsListeners([writeLeaf(t, authority.issue())])
    const { port } = await startGateway(t, proxyTo(service.url, { ...listeners }))
    const { peer, socket } = await connectSecurely(t, port, { minVersion: version, maxVersion: version })
    peer.write(GET)
    const taken = await service.accept()
    taken.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')
    const failed = once(socket, 'error')
    assert.match(String(await peer.take(12)), /^HTTP\/1\.1 200$/)
    taken.reset()
    const [error] = (await failed) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNRESET')
  })

test('a plain HTTP request to a TLS listener gets a 400 that says so', async (t) => {
  const { port } = await setUp(t)
  const client = await connect(t, port)
  client.write(GET)
  const reply = await client.reply()
  assert.equal(reply.start, 'HTTP/1.1 400 Bad Request')
  assert.match(reply.body.toString(), /speaks HTTPS/)
  assert.equal(await client.closed(), 'end')
})

test('the PROXY protocol header comes before the handshake', async (t) => {
  const service = await startService(t)
  const [listener] = tlsListeners([writeLeaf(t, authority.issue())]).listeners
  const listeners = [{ ...listener!, proxyProtocol: 'required' as const }]
  const { port } = await startGateway(t, proxyTo(service.url, { listeners, trustedProxies: ['127.0.0.1'] }))
  const { peer } = await connectSecurely(t, port, {}, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
  peer.write(GET)
  assert.equal((await peer.reply()).start, 'HTTP/1.1 200 OK')
  assert.equal(service.received[0]!.headers['x-forwarded-for'], '192.0.2.1')
  assert.equal(service.received[0]!.headers['x-forwarded-proto'], 'https')
})
