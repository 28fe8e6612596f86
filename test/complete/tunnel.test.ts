import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { bytes } from '../support/bytes.ts'
import { connect, startRawService } from '../support/peer.ts'
import { holdings, settled } from '../support/settled.ts'

/** The example of RFC 6455 section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const UPGRADE = `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`
const AGREED = agreed(`Sec-WebSocket-Accept: ${ACCEPT}\r\n`)
const MEGABYTE = 1024 * 1024

function agreed(fields: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}\r\n`
}

async function setUp(t: TestContext, clock: Clock = systemClock) {
  const service = await startRawService(t)
  const { port, gateway, log } = await startGateway(t, proxyTo(service.url), { clock })
  return { service, gateway, port, log, client: await connect(t, port) }
}

/** Both ends of a tunnel. */
async function openTunnel(t: TestContext, clock?: Clock) {
  const parts = await setUp(t, clock)
  parts.client.write(UPGRADE)
  const peer = await parts.service.accept()
  await peer.request()
  peer.write(AGREED)
  await parts.client.until('\r\n\r\n')
  return { ...parts, peer }
}

test('both sides get the handshake with new connection headers', async (t) => {
  const { client, service } = await setUp(t)
  client.write(UPGRADE)
  const peer = await service.accept()
  const { fields } = await peer.request()
  assert.deepEqual(fields.all('Connection'), ['Upgrade'])
  assert.deepEqual(fields.all('Upgrade'), ['WebSocket'])
  assert.equal(fields.get('Sec-WebSocket-Key'), KEY)
  peer.write(AGREED)
  const reply = await client.reply()
  assert.equal(reply.start, 'HTTP/1.1 101 Switching Protocols')
  assert.deepEqual(reply.fields.all('Connection'), ['Upgrade'])
  assert.deepEqual(reply.fields.all('Upgrade'), ['websocket'])
  assert.equal(reply.fields.get('Sec-WebSocket-Accept'), ACCEPT)
  assert.equal(reply.fields.get('Content-Length'), undefined)
})

for (const [name, request, reply] of [
  ['a wrong Sec-WebSocket-Accept', UPGRADE, agreed('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n')],
  ['a Sec-WebSocket-Accept in another case', UPGRADE, agreed(`Sec-WebSocket-Accept: ${ACCEPT.toLowerCase()}\r\n`)],
  ['no Sec-WebSocket-Accept', UPGRADE, agreed('')],
  ['two', UPGRADE, agreed(`Sec-WebSocket-Accept: ${ACCEPT}\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`)],
  ['a Sec-WebSocket-Accept without a key', UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/, ''), AGREED],
] as const)
  test(`a 101 with ${name} causes 502, and nothing is forwarded`, async (t) => {
    const { client, service } = await setUp(t)
    client.write(`${request}from the client`)
    const peer = await service.accept()
    await peer.request()
    peer.write(`${reply}from the service`)
    const refusal = await client.reply()
    assert.match(refusal.start, / 502 /)
    assert.match(refusal.body.toString(), /Sec-WebSocket-Accept that does not match/)
    await peer.closed()
    assert.equal(peer.received.length, 0)
    assert.equal(client.received.toString().includes('from the service'), false)
  })

test('bytes that the client sends before the 101 are forwarded after it', async (t) => {
  const { client, service } = await setUp(t)
  client.write(`${UPGRADE}early `)
  const peer = await service.accept()
  await peer.request()
  await client.writeInPieces(['and ', 'earlier'])
  assert.equal(peer.received.length, 0)
  peer.write(`${AGREED}first`)
  assert.ok((await client.until('first')).startsWith('HTTP/1.1 101 '))
  assert.equal(await peer.until('earlier'), 'early and earlier')
})

test('bytes after a rejected upgrade are the next request', async (t) => {
  const { client, service } = await setUp(t)
  client.write(`${UPGRADE}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`)
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno')
  const refusal = await client.reply()
  assert.match(refusal.start, / 426 /)
  assert.equal(refusal.body.toString(), 'no')
  assert.match((await peer.request()).start, /^GET \/next /)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext')
  assert.equal((await client.reply()).body.toString(), 'next')
})

test('an upgrade to another protocol is removed, and the request forwarded without it', async (t) => {
  const { client, service } = await setUp(t)
  client.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  )
  const peer = await service.accept()
  const { fields } = await peer.request()
  assert.deepEqual(
    [fields.get('Upgrade'), fields.get('Connection'), fields.get('HTTP2-Settings')],
    [undefined, undefined, undefined],
  )
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  assert.equal((await client.reply()).body.toString(), 'ok')
})

test('a client that half-closes the tunnel still receives everything', async (t) => {
  const { client, peer, gateway, log } = await openTunnel(t)
  client.write('last words')
  client.end()
  assert.equal((await peer.rest()).toString(), 'last words')
  const content = bytes(20 * MEGABYTE)
  let stops = 0
  client.socket.on('data', () => {
    if (++stops % 10 !== 0) return
    client.socket.pause()
    setImmediate(() => setImmediate(() => client.socket.resume()))
  })
  peer.write(content)
  peer.end()
  assert.ok((await client.rest()).equals(content))
  assert.equal(await client.closed(), 'end')
  await settled(gateway)
  assert.equal((await log.line({ status_code: 101 }))['bytes'], content.length)
})

test('a service that half-closes the tunnel still receives everything', async (t) => {
  const { client, peer, gateway } = await openTunnel(t)
  peer.write('last words')
  peer.end()
  assert.equal((await client.rest()).toString(), 'last words')
  const content = bytes(20 * MEGABYTE)
  let stops = 0
  peer.socket.on('data', () => {
    if (++stops % 10 !== 0) return
    peer.socket.pause()
    setImmediate(() => setImmediate(() => peer.socket.resume()))
  })
  client.write(content)
  client.end()
  assert.ok((await peer.rest()).equals(content))
  await settled(gateway)
})

for (const side of ['client', 'service'] as const)
  test(`a reset by the ${side} closes the other connection`, async (t) => {
    const { client, peer, gateway } = await openTunnel(t)
    const [one, other] = side === 'client' ? [client, peer] : [peer, client]
    one.reset()
    await other.closed()
    other.end()
    await settled(gateway)
    assert.equal(holdings(gateway).idle, 0)
  })

test('a side that does not read stops the other one, with bounded memory in the gateway', async (t) => {
  for (const [from, to] of [
    ['client', 'peer'],
    ['peer', 'client'],
  ] as const) {
    const clock = new ManualClock()
    const tunnel = await openTunnel(t, clock)
    const { socket } = tunnel[from]
    tunnel[to].socket.pause()
    const chunk = bytes(MEGABYTE)
    let written = 0
    for (let turns = 0; turns < 1_000 && written < 200 * MEGABYTE;) {
      if (socket.writableNeedDrain) {
        turns++
        await new Promise(setImmediate)
        continue
      }
      turns = 0
      written += chunk.length
      socket.write(chunk)
    }
    assert.ok(written < 40 * MEGABYTE, `the ${from} could write ${written} bytes`)
    clock.advance(60_300)
    tunnel.client.reset()
    tunnel.peer.reset()
    await settled(tunnel.gateway)
  }
})

test('a client that disconnects before the 101 leaves nothing behind', async (t) => {
  const { client, service, gateway } = await setUp(t)
  client.write(UPGRADE)
  const peer = await service.accept()
  await peer.request()
  client.reset()
  await peer.closed()
  await settled(gateway)
})
