import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { connect, startRawService } from '../support/peer.ts'
import { settled } from '../support/settled.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** A request whose body has not been sent, with the client and the service. */
async function ask(t: TestContext, framing = 'Content-Length: 5') {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url), { clock })
  const client = await connect(t, port)
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n${framing}\r\n\r\n`)
  const peer = await service.accept()
  const head = await peer.until('\r\n\r\n')
  return { clock, service, gateway, client, peer, head }
}

for (const [framing, body] of [
  ['Content-Length: 5', 'hello'],
  ['Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'],
] as const)
  test(`100 Continue of the service reaches the client, and then the body the service (${framing})`, async (t) => {
    const { client, peer, head } = await ask(t, framing)
    assert.match(head, /\r\nExpect: 100-continue\r\n/)
    assert.equal(client.received.length, 0)
    peer.write(CONTINUE)
    assert.equal(await client.until('\r\n\r\n'), CONTINUE)
    assert.equal(peer.received.length, 0)
    client.write(body)
    assert.equal(await peer.until(body), body)
    peer.write(OK)
    assert.equal((await client.reply()).body.toString(), 'ok')
    client.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match((await peer.request()).start, /^GET \/next /)
  })

test('a final reply instead of 100 is forwarded, and the body is neither requested nor sent', async (t) => {
  const { client, peer, gateway, clock } = await ask(t)
  peer.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno')
  const reply = await client.reply()
  assert.match(reply.start, / 413 /)
  assert.equal(reply.body.toString(), 'no')
  // It is unknown whether the body follows, so neither connection can carry another request.
  assert.equal(reply.fields.get('Connection'), 'close')
  assert.equal(await client.closed(), 'end')
  assert.equal((await peer.rest()).length, 0)
  client.end()
  clock.advance(2_300)
  await settled(gateway)
})

test('a body sent after a final reply is not parsed as a request', async (t) => {
  const { client, peer, service } = await ask(t)
  peer.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
  client.write('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match((await client.reply()).start, / 403 /)
  assert.equal(await client.closed(), 'end')
  assert.equal((await peer.rest()).length, 0)
  assert.equal(service.connections, 1)
})

test('a service that sends no 100 gets the body after a second', async (t) => {
  const { client, peer, clock } = await ask(t)
  clock.advance(1_000)
  assert.equal(client.received.length, 0)
  clock.advance(200)
  assert.equal(await client.until('\r\n\r\n'), CONTINUE)
  client.write('hello')
  await peer.until('hello')
  // The service may still send it, too late.
  peer.write(CONTINUE + OK)
  assert.equal((await client.reply()).start, 'HTTP/1.1 200 OK')
})

test('a service that never replies causes 504', async (t) => {
  const { client, peer, clock } = await ask(t)
  clock.advance(1_200)
  assert.equal(await client.until('\r\n\r\n'), CONTINUE)
  client.write('hello')
  await peer.until('hello')
  clock.advance(30_300)
  assert.match((await client.reply()).start, / 504 /)
})

test('a client that sends its body without waiting gets a reply, and the service gets the body', async (t) => {
  const { client, peer } = await ask(t)
  await client.writeInPieces(['hello'])
  assert.equal(peer.received.length, 0)
  peer.write(CONTINUE)
  await peer.until('hello')
  peer.write(OK)
  let reply = await client.reply()
  if (reply.start === 'HTTP/1.1 100 Continue') reply = await client.reply()
  assert.equal(reply.body.toString(), 'ok')
})

test('a client that disconnects while waiting aborts the request to the service', async (t) => {
  const { client, peer, gateway } = await ask(t)
  client.reset()
  await peer.closed()
  await settled(gateway)
})

test('a service that disconnects while the client waits causes 502', async (t) => {
  const { client, peer } = await ask(t)
  peer.end()
  const reply = await client.reply()
  assert.match(reply.start, / 502 /)
  assert.equal(reply.fields.get('Connection'), 'close')
})

test('Expect of an HTTP/1.0 client is ignored', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n')
  client.write('hello')
  const peer = await service.accept()
  assert.doesNotMatch(await peer.until('\r\n\r\n'), /Expect/)
  await peer.until('hello')
  peer.write(OK)
  assert.equal((await client.reply()).start, 'HTTP/1.1 200 OK')
})
