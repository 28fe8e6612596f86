import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'

/** Requests of a client over one connection, and what the service receives for each. */
async function setUp(t: TestContext) {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  let peer: Peer | null = null
  return {
    client,
    service,
    ask: async (method: string, reply: string) => {
      client.write(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`)
      peer ??= await service.accept()
      await peer.request()
      peer.write(reply)
      return client.reply(method)
    },
    peer: () => peer!,
  }
}

/** The connections on both sides must still be in sync. */
async function assertInStep({ ask, service }: Awaited<ReturnType<typeof setUp>>): Promise<void> {
  const after = await ask('GET', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter')
  assert.equal(after.body.toString(), 'after')
  assert.equal(service.connections, 1)
}

test('a reply to HEAD has the headers of GET and no content', async (t) => {
  const exchange = await setUp(t)
  const reply = await exchange.ask('HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: "x"\r\n\r\n')
  assert.equal(reply.fields.get('Content-Length'), '1000')
  assert.equal(reply.fields.get('ETag'), '"x"')
  await assertInStep(exchange)
})

test('a chunked reply to HEAD has no content', async (t) => {
  const exchange = await setUp(t)
  const reply = await exchange.ask('HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  assert.equal(reply.fields.get('Content-Length'), undefined)
  await assertInStep(exchange)
})

test('204 has no content and no length', async (t) => {
  const exchange = await setUp(t)
  for (const field of ['', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n']) {
    const reply = await exchange.ask('DELETE', `HTTP/1.1 204 No Content\r\n${field}\r\n`)
    assert.equal(reply.start, 'HTTP/1.1 204 No Content')
    assert.equal(reply.fields.get('Content-Length'), undefined)
    assert.equal(reply.fields.get('Transfer-Encoding'), undefined)
  }
  await assertInStep(exchange)
})

test('304 has no content and keeps its Content-Length', async (t) => {
  const exchange = await setUp(t)
  const reply = await exchange.ask('GET', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 1000\r\n\r\n')
  assert.match(reply.start, / 304 /)
  assert.equal(reply.fields.get('Content-Length'), '1000')
  assert.equal(reply.fields.get('ETag'), '"x"')
  await assertInStep(exchange)
})

test('205 and 200 with an empty body have Content-Length: 0', async (t) => {
  const exchange = await setUp(t)
  for (const status of ['200 OK', '205 Reset Content']) {
    const reply = await exchange.ask('GET', `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`)
    assert.equal(reply.fields.get('Content-Length'), '0')
  }
  await assertInStep(exchange)
})

test('interim replies are forwarded before the final one', async (t) => {
  const exchange = await setUp(t)
  const { client, service } = exchange
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n' +
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  )
  const hints = await client.reply()
  assert.match(hints.start, / 103 /)
  assert.equal(hints.fields.get('Link'), '</a.css>; rel=preload')
  assert.equal(hints.fields.get('X-Hop'), undefined)
  assert.match((await client.reply()).start, / 102 /)
  assert.equal((await client.reply()).body.toString(), 'ok')
})

test('an interim reply is not sent to an HTTP/1.0 client', async (t) => {
  const { client, service } = await setUp(t)
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  assert.match((await client.reply()).start, / 200 /)
})

test('Date is added if the service sends none, and kept otherwise', async (t) => {
  const exchange = await setUp(t)
  const date = 'Mon, 15 Jan 2024 10:30:00 GMT'
  const dated = await exchange.ask('GET', `HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Length: 0\r\n\r\n`)
  assert.deepEqual(dated.fields.all('Date'), [date])
  const undated = await exchange.ask('GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.equal(undated.fields.all('Date').length, 1)
  assert.ok(Math.abs(Date.parse(undated.fields.get('Date')!) - Date.now()) < 60_000)
})

test('a status without a reason phrase, or an unknown status, is forwarded', async (t) => {
  const exchange = await setUp(t)
  assert.match((await exchange.ask('GET', 'HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n')).start, /^HTTP\/1\.1 299 ?$/)
  assert.match((await exchange.ask('GET', 'HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n')).start, /^HTTP\/1\.1 599 /)
})
