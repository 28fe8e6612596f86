import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { readProxyHeader } from '../src/proxy-protocol/header.ts'
import { httpBlock, startHaproxy, startNginx, temporaryFolder } from './support/balancers.ts'
import { Authority } from './support/certificates.ts'
import { type Answer, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { poolOf, settled, turnUntil } from './support/settled.ts'

const [ALICE, BOB] = ['127.0.0.2', '127.0.0.3']
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

/** Reads a version 1 line from a connection. */
const lineOf = (peer: Peer): Promise<string> => peer.until('\r\n')

/** A service that reads the header of each connection, and repeats it in each reply. */
async function startReader(t: TestContext) {
  const headers: string[] = []
  const service = await startRawService(t, async (peer) => {
    const header = await lineOf(peer)
    headers.push(header)
    for (;;) {
      await peer.request()
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${header.length}\r\n\r\n${header}`)
    }
  })
  return { ...service, headers }
}

const from = (localAddress: string, port: number): Promise<Answer> => send(port, { localAddress })

test('a connection to the service is reused for the same client only', async (t) => {
  const service = await startReader(t)
  const { port } = await startGateway(t, proxyTo(service.url, { service: { proxyProtocol: 'v1' } }))
  for (const client of [ALICE, BOB, ALICE, BOB, ALICE])
    assert.equal((await from(client, port)).text, `PROXY TCP4 ${client} 127.0.0.1 0 ${service.port}\r\n`)
  assert.equal(service.headers.length, 2)
})

test('version 2 is the binary equivalent', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { service: { proxyProtocol: 'v2' } }))
  const answer = from(ALICE, port)
  const peer = await service.accept()
  const header = await peer.take(28)
  assert.deepEqual(readProxyHeader(header), { introduction: { kind: 'client', address: ALICE }, length: 28 })
  await peer.request()
  peer.write(OK)
  assert.equal((await answer).status, 200)
})

test('a service gets the address of the client behind a trusted proxy', async (t) => {
  const service = await startReader(t)
  const config = proxyTo(service.url, { service: { proxyProtocol: 'v1' }, trustedProxies: ['127.0.0.1'] })
  const { port } = await startGateway(t, config)
  for (const client of ['192.0.2.7', '2001:db8::7', '192.0.2.7']) {
    const { text } = await send(port, { headers: { 'X-Forwarded-For': client } })
    assert.match(text, client.includes(':') ? /^PROXY TCP6 2001:db8:0:0:0:0:0:7 / : /^PROXY TCP4 192\.0\.2\.7 /)
  }
  assert.equal(service.headers.length, 2)
})

test('at the connection limit an idle connection of another client is closed', async (t) => {
  const service = await startReader(t)
  const one = { proxyProtocol: 'v1' as const, pool: { connections: 1 } }
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { service: one }))
  for (const client of [ALICE, BOB, BOB, ALICE]) {
    assert.match((await from(client, port)).text, new RegExp(`^PROXY TCP4 ${client} `))
    assert.equal(poolOf(gateway).idle, 1)
  }
  assert.equal(service.headers.length, 3)
  await settled(gateway)
})

test('a waiting request gets a connection for its own client', async (t) => {
  const service = await startRawService(t)
  const one = { proxyProtocol: 'v1' as const, pool: { connections: 1 } }
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { service: one }))
  const first = from(ALICE, port)
  const ofAlice = await service.accept()
  assert.match(await lineOf(ofAlice), /127\.0\.0\.2/)
  await ofAlice.request()
  const waiting = [from(BOB, port), from(ALICE, port)]
  await turnUntil('both requests to wait', () => poolOf(gateway).waiting === 2)
  ofAlice.write(OK)
  await first
  assert.match(await ofAlice.closed(), /end|reset/)
  const ofBob = await service.accept()
  assert.match(await lineOf(ofBob), /127\.0\.0\.3/)
  assert.equal(poolOf(gateway).waiting, 1)
  await ofBob.request()
  ofBob.write(OK)
  await waiting[0]
  const again = await service.accept()
  assert.match(await lineOf(again), /127\.0\.0\.2/)
  await again.request()
  again.write(OK)
  assert.equal((await waiting[1]!).status, 200)
})

test('a request waiting for a connection of the same client reuses it', async (t) => {
  const service = await startRawService(t)
  const one = { proxyProtocol: 'v1' as const, pool: { connections: 1 } }
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { service: one }))
  const answers = [from(ALICE, port), from(ALICE, port)]
  const peer = await service.accept()
  await lineOf(peer)
  for (let i = 0; i < 2; i++) {
    await peer.request()
    if (i === 0) await turnUntil('the other request to wait', () => poolOf(gateway).waiting === 1)
    peer.write(OK)
  }
  for (const answer of answers) assert.equal((await answer).status, 200)
  assert.equal(service.connections, 1)
})

test('a stale idle connection is replaced by one for the same client', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { service: { proxyProtocol: 'v1' } }))
  const client = await connect(t, port, ALICE)
  client.write(GET)
  const first = await service.accept()
  await lineOf(first)
  await first.request()
  first.write(OK)
  await client.reply()
  client.write(GET)
  await first.request()
  first.reset()
  const second = await service.accept()
  assert.match(await lineOf(second), /127\.0\.0\.2/)
  await second.request()
  second.write(OK)
  assert.match((await client.reply()).start, / 200 /)
})

for (const [version, expected] of [
  ['v1', /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [1-9]\d* [1-9]\d*\r\n$/],
  ['v2', /^\r\n\r\n\0\r\nQUIT\n \0\0\0$/],
] as const)
  test(`health checks are introduced as local: ${version}`, async (t) => {
    const service = await startRawService(t)
    const options = { proxyProtocol: version, health: { path: '/health' } }
    const { gateway } = await startGateway(t, proxyTo(service.url, { service: options }), { ready: false })
    const peer = await service.accept()
    const header = version === 'v1' ? await lineOf(peer) : (await peer.take(16)).toString('latin1')
    assert.match(header, expected)
    assert.match((await peer.request()).start, /^GET \/health /)
    peer.write(OK)
    await gateway.ready
  })

test("the gateway's own requests are introduced as local, and share no connections with local clients", async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(
    t,
    proxyTo(service.url, {
      service: { proxyProtocol: 'v2' },
      policies: { auth: { methods: { introspection: { service: 'backend', path: '/introspect' } } } },
    }),
  )
  const answer = send(port, { headers: { Authorization: 'Bearer opaque' } })
  const own = await service.accept()
  assert.deepEqual(readProxyHeader(await own.take(16))?.introduction, { kind: 'local' })
  assert.match((await own.request()).start, /^POST \/introspect /)
  const active = JSON.stringify({ active: true, sub: 'alice' })
  own.write(`HTTP/1.1 200 OK\r\nContent-Length: ${active.length}\r\n\r\n${active}`)
  const ofClient = await service.accept()
  const header = await ofClient.take(28)
  assert.deepEqual(readProxyHeader(header)?.introduction, { kind: 'client', address: '127.0.0.1' })
  await ofClient.request()
  ofClient.write(OK)
  assert.equal((await answer).status, 200)
})

for (const version of ['v1', 'v2'] as const) {
  test(`HAProxy with accept-proxy gets the client address: ${version}`, async (t) => {
    const service = await startService(t)
    const balancer = await startHaproxy(
      t,
      (own) =>
        `frontend in\n  bind 127.0.0.1:${own} accept-proxy\n  option forwardfor header X-Seen\n  default_backend out\n` +
        `backend out\n  server service 127.0.0.1:${service.port}\n`,
    )
    const instance = `http://127.0.0.1:${balancer}`
    const health = { path: '/health' }
    const { port } = await startGateway(t, proxyTo(instance, { service: { proxyProtocol: version, health } }))
    for (const client of [ALICE, BOB, ALICE]) {
      assert.equal((await from(client, port)).status, 200)
      assert.equal(service.received.at(-1)!.headers['x-seen'], client)
    }
  })

  test(`nginx with proxy_protocol gets the client address, before TLS: ${version}`, async (t) => {
    const authority = new Authority()
    const { cert, key } = authority.issue()
    const folder = await temporaryFolder(t)
    await writeFile(join(folder, 'cert.pem'), cert)
    await writeFile(join(folder, 'key.pem'), key)
    const balancer = await startNginx(t, (own) =>
      httpBlock(
        `server { listen 127.0.0.1:${own} ssl proxy_protocol; ssl_certificate ${folder}/cert.pem; ` +
          `ssl_certificate_key ${folder}/key.pem; location / { return 200 $proxy_protocol_addr; } }`,
      ),
    )
    const { port } = await startGateway(
      t,
      proxyTo(`https://localhost:${balancer}`, {
        service: { proxyProtocol: version, tls: { ca: authority.cert }, health: { path: '/health' } },
      }),
    )
    for (const client of [ALICE, BOB, ALICE]) assert.equal((await from(client, port)).text, client)
  })
}
