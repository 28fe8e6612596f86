import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { digest, bytes } from './support/bytes.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

const MEGABYTE = 1024 * 1024

/** Around every limit: empty, one write, a read buffer, the default limit, and far above. */
const SIZES = [0, 1, 14_900, 15_000, 15_001, 65_535, 65_536, 65_537, MEGABYTE, 50 * MEGABYTE]

const content = bytes(50 * MEGABYTE)

function digestOf(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256')
    message.on('data', (chunk: Buffer) => hash.update(chunk))
    message.on('error', reject)
    message.on('end', () => resolve(hash.digest('hex')))
  })
}

/** Replies with the size and framing in the path, and the digest of the request body. */
function answer(incoming: IncomingMessage, response: ServerResponse): void {
  const [, framing, size] = incoming.url!.split('/')
  const body = content.subarray(0, Number(size))
  void digestOf(incoming).then((received) => {
    response.setHeader('X-Received', received)
    response.setHeader(
      'X-Framing',
      incoming.headers['transfer-encoding'] ?? incoming.headers['content-length'] ?? 'none',
    )
    if (framing === 'length') response.setHeader('Content-Length', body.length)
    if (framing === 'close') response.shouldKeepAlive = response.useChunkedEncodingByDefault = false
    if (framing !== 'length') response.flushHeaders()
    response.end(body)
  })
}

async function setUp(t: TestContext): Promise<number> {
  const service = await startService(t, answer)
  const { port } = await startGateway(t, proxyTo(service.url, { limits: { body: '51mb' } }))
  return port
}

/** Sends a request over its own connection, and returns the digest of the reply. */
function ask(port: number, path: string, method: string, headers: OutgoingHttpHeaders, body: Buffer) {
  return new Promise<{ response: IncomingMessage; received: string }>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      digestOf(response).then((received) => resolve({ response, received }), reject)
    })
    outgoing.end(body)
  })
}

for (const size of SIZES) {
  const body = content.subarray(0, size)

  for (const framing of ['length', 'chunked'])
    test(`a request body of ${size} bytes arrives unchanged (${framing})`, async (t) => {
      const port = await setUp(t)
      const headers = framing === 'length' ? { 'Content-Length': size } : { 'Transfer-Encoding': 'chunked' }
      const { response } = await ask(port, '/length/0', 'POST', headers, body)
      assert.equal(response.headers['x-received'], digest(body))
      // A chunked body that arrived together with its head has a known length, and is sent with it.
      if (framing === 'length') assert.equal(response.headers['x-framing'], String(size))
      else assert.ok(['chunked', String(size)].includes(String(response.headers['x-framing'])))
    })

  for (const framing of ['length', 'chunked', 'close'])
    test(`a reply body of ${size} bytes arrives unchanged (${framing})`, async (t) => {
      const port = await setUp(t)
      const { response, received } = await ask(port, `/${framing}/${size}`, 'GET', {}, Buffer.alloc(0))
      assert.equal(received, digest(body))
      if (framing === 'length') assert.equal(response.headers['content-length'], String(size))
    })
}

/** Chunked, in chunks of that many bytes: many of them arrive in one read. */
function inChunks(body: Buffer, size: number): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size)
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')])
}

for (const size of [300, 4_000, 16_384])
  test(`a request body in chunks of ${size} bytes arrives unchanged, on new and reused connections`, async (t) => {
    const port = await setUp(t)
    const body = content.subarray(0, MEGABYTE)
    const client = await connect(t, port)
    for (let i = 0; i < 2; i++) {
      const head = 'POST /length/0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
      await client.writeInPieces([head, inChunks(body, size)])
      assert.match(await client.until('\r\n\r\n'), new RegExp(`X-Received: ${digest(body)}\r\n`))
    }
  })

test('a reply body of many chunks that arrive at once is compressed unchanged', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { policies: { compression: {} } }))
  const body = content.subarray(0, MEGABYTE)
  const reply = new Promise<Buffer>((resolve, reject) => {
    const headers = { 'Accept-Encoding': 'gzip' }
    request({ host: '127.0.0.1', port, headers, agent: false }, (response) => {
      assert.equal(response.headers['content-encoding'], 'gzip')
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('error', reject)
      response.on('end', () => resolve(gunzipSync(Buffer.concat(pieces))))
    })
      .on('error', reject)
      .end()
  })
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n')
  peer.write(inChunks(body, 4_000))
  assert.equal(digest(await reply), digest(body))
})

test('a body echoed while it arrives is unchanged in both directions', async (t) => {
  const service = await startService(t, (incoming, response) => void incoming.pipe(response))
  const { port } = await startGateway(t, proxyTo(service.url, { limits: { body: '51mb' } }))
  const body = content.subarray(0, 20 * MEGABYTE)
  const { received } = await ask(port, '/', 'POST', { 'Transfer-Encoding': 'chunked' }, body)
  assert.equal(received, digest(body))
})

test('concurrent bodies do not mix', async (t) => {
  const service = await startService(t, (incoming, response) => void incoming.pipe(response))
  const { port } = await startGateway(t, proxyTo(service.url))
  const exchanges = Array.from({ length: 24 }, async (_, i) => {
    const body = content.subarray(i * 1_000_003, i * 1_000_003 + MEGABYTE + i)
    const headers = i % 2 === 0 ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': body.length }
    const { received } = await ask(port, '/', 'POST', headers, body)
    assert.equal(received, digest(body))
  })
  await Promise.all(exchanges)
})

test('an HTTP/1.0 client gets a body of unknown length delimited by the end of the connection', async (t) => {
  const port = await setUp(t)
  const client = await connect(t, port)
  client.write('GET /chunked/100000 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
  const reply = await client.reply()
  assert.equal(reply.fields.get('Transfer-Encoding'), undefined)
  assert.equal(reply.fields.get('Connection'), 'close')
  assert.equal(digest(reply.body), digest(content.subarray(0, 100_000)))
})

test("a close-delimited reply does not close the client's connection", async (t) => {
  const port = await setUp(t)
  const client = await connect(t, port)
  for (let i = 0; i < 3; i++) {
    client.write('GET /close/100000 HTTP/1.1\r\nHost: a\r\n\r\n')
    const reply = await client.reply()
    assert.equal(reply.fields.get('Connection'), undefined)
    assert.equal(digest(reply.body), digest(content.subarray(0, 100_000)))
  }
})

test('POST without a body is forwarded with Content-Length: 0', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  for (const method of ['POST', 'GET']) await send(port, { method })
  const [post, get] = service.received
  assert.equal(post!.headers['content-length'], '0')
  assert.equal(get!.headers['content-length'], undefined)
  assert.equal(get!.headers['transfer-encoding'], undefined)
})

test('GET can have a body', async (t) => {
  const service = await startService(t, (incoming, response) => void incoming.pipe(response))
  const { port } = await startGateway(t, proxyTo(service.url))
  assert.equal((await send(port, { headers: { 'Content-Length': 4 }, body: 'body' })).text, 'body')
})

test('a reply that arrives before the request is complete is forwarded, and the connection closes', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(70_000)}begin`)
  const peer = await service.accept()
  await peer.until('begin')
  peer.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
  const reply = await client.reply()
  assert.match(reply.start, /403/)
  assert.equal(reply.body.toString(), 'no')
  assert.equal(await client.closed(), 'end')
})

test('100 Continue is sent when the service wants the body', async (t) => {
  const port = await setUp(t)
  const client = await connect(t, port)
  client.write('POST /length/0 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  assert.equal(await client.until('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
  client.write('body')
  assert.equal((await client.reply()).fields.get('X-Received'), digest(Buffer.from('body')))
})

test('a request that the gateway answers itself gets no 100 Continue', async (t) => {
  const { port } = await startGateway(t, { routes: [] })
  const client = await connect(t, port)
  client.write('POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
  const reply = await client.reply()
  assert.match(reply.start, /404/)
  assert.equal(await client.closed(), 'end')
})

test('an expectation other than 100-continue is 417', async (t) => {
  const { port } = await startGateway(t, { routes: [] })
  const client = await connect(t, port)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 4\r\n\r\nbody')
  assert.match((await client.reply()).start, /417/)
})
