import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { bytes } from './support/bytes.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { settled, turnUntil } from './support/settled.ts'

const decompress = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'

/** Text that is compressible, but not to nothing. */
function textOf(length: number): Buffer {
  return Buffer.from(
    bytes(Math.ceil(length / 2))
      .toString('hex')
      .slice(0, length),
  )
}

function compressing(url: string) {
  return proxyTo(url, { policies: { compression: {} } })
}

/** A client with a pending request, and the service that is to answer it. */
async function exchange(t: TestContext, coding = 'gzip') {
  const service = await startRawService(t)
  const { port, gateway } = await startGateway(t, compressing(service.url))
  const client = await connect(t, port)
  client.write(`GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\n\r\n`)
  const peer = await service.accept()
  await peer.request()
  return { client, peer, gateway }
}

for (const coding of ['br', 'gzip', 'zstd'] as const)
  for (const length of [1024, 15_000, 65_536, 70_000, 3_000_000])
    for (const framing of ['length', 'chunked'])
      test(`a ${framing} text of ${length} bytes arrives unchanged, compressed with ${coding}`, async (t) => {
        const text = textOf(length)
        const service = await startService(t, (_, response) => {
          response.setHeader('Content-Type', 'text/plain; charset=utf-8')
          if (framing === 'length') response.setHeader('Content-Length', length)
          else response.flushHeaders()
          response.end(text)
        })
        const { port } = await startGateway(t, compressing(service.url))
        const reply = await send(port, { headers: { 'Accept-Encoding': coding } })
        assert.equal(reply.headers['content-encoding'], coding)
        assert.equal(reply.headers.vary, 'Accept-Encoding')
        assert.ok(reply.body.length < length * 0.7)
        assert.ok(decompress[coding](reply.body).equals(text))
        const plain = await send(port)
        assert.equal(plain.headers['content-encoding'], undefined)
        assert.equal(plain.headers.vary, 'Accept-Encoding')
        assert.ok(plain.body.equals(text))
      })

test('HEAD has the headers of GET, and a stored reply can be revalidated', async (t) => {
  const text = textOf(5000)
  const service = await startService(t, (request, response) => {
    response.setHeader('ETag', '"v1"')
    const known = request.headers['if-none-match']?.includes('"v1"') === true
    if (known) response.writeHead(304).end()
    else response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': text.length }).end(text)
  })
  const { port } = await startGateway(t, compressing(service.url))
  const headers = { 'Accept-Encoding': 'gzip' }
  const got = await send(port, { headers })
  const head = await send(port, { method: 'HEAD', headers })
  assert.equal(head.body.length, 0)
  for (const name of ['content-encoding', 'etag', 'vary', 'content-type'])
    assert.equal(head.headers[name], got.headers[name], name)
  assert.equal(got.headers.etag, 'W/"v1~compressed"')
  const confirmed = await send(port, { headers: { ...headers, 'If-None-Match': got.headers.etag } })
  assert.equal(confirmed.status, 304)
  assert.equal(confirmed.headers.etag, 'W/"v1~compressed"')
})

test('a streamed reply reaches the client piece by piece', async (t) => {
  const { client, peer } = await exchange(t)
  const reader = createGunzip()
  let read = ''
  reader.on('data', (piece: Buffer) => (read += piece.toString()))
  t.after(() => reader.destroy())
  peer.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`)
  await client.until('\r\n\r\n')
  const fed = feed()
  let expected = ''
  for (const line of ['one\n', 'two\n', 'three\n']) {
    peer.write(`${line.length.toString(16)}\r\n${line}\r\n`)
    expected += line
    await turnUntil(`"${line.trim()}"`, () => read === expected)
  }
  peer.write('0\r\n\r\n')
  await fed

  /** Passes every chunk of the reply to the reader as it arrives. */
  async function feed(): Promise<void> {
    for (;;) {
      const size = Number.parseInt(await client.until('\r\n'), 16)
      reader.write(await client.take(size))
      await client.until('\r\n')
      if (size === 0) return
    }
  }
})

for (const [how, head] of [
  ['chunked', 'Transfer-Encoding: chunked\r\n\r\nfff\r\n'],
  ['with a known length', 'Content-Length: 100000\r\n\r\n'],
] as const)
  test(`a reply ${how} that is cut off never looks complete`, async (t) => {
    const { client, peer, gateway } = await exchange(t)
    peer.write(`${HEAD}${head}${textOf(2000).toString()}`)
    await client.until('Transfer-Encoding: chunked\r\n')
    peer.reset()
    assert.equal(await client.closed(), 'reset')
    assert.ok(!client.received.toString('latin1').endsWith('0\r\n\r\n'))
    await settled(gateway)
  })

test('a client that disconnects ends the exchange with the service', async (t) => {
  const { client, peer, gateway } = await exchange(t)
  peer.write(`${HEAD}Content-Length: 100000000\r\n\r\n${textOf(100_000).toString()}`)
  await client.until('\r\n\r\n')
  client.reset()
  await peer.closed()
  await settled(gateway)
})

test('a client that does not read a compressed reply stops the service, with bounded memory in the gateway', async (t) => {
  const { client, peer } = await exchange(t)
  const chunk = bytes(1_000_000)
  const total = 200
  peer.write(`${HEAD}Content-Length: ${total * chunk.length}\r\n\r\n`)
  await client.until('\r\n\r\n')
  client.socket.pause()
  const before = process.memoryUsage().arrayBuffers
  let written = 0
  // Compression takes time: the service is paused once nothing has been read for longer than that.
  for (let turns = 0; turns < 20_000 && written < total; turns++) {
    await new Promise(setImmediate)
    if (peer.socket.writableNeedDrain) continue
    peer.socket.write(chunk)
    written++
    turns = 0
  }
  assert.ok(written < 60, `the service could write ${written} MB`)
  assert.ok(process.memoryUsage().arrayBuffers - before < 16_000_000)
})

test('the connection can be used for further requests', async (t) => {
  const text = textOf(100_000)
  const service = await startService(t, (_, response) => {
    response.setHeader('Content-Type', 'text/plain')
    response.end(text)
  })
  const { port } = await startGateway(t, compressing(service.url))
  const client = await connect(t, port)
  for (let i = 0; i < 3; i++) {
    client.write('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: zstd\r\n\r\n')
    assert.ok(zstdDecompressSync((await client.reply()).body).equals(text))
  }
  assert.equal(service.connections, 1)
})

test('an HTTP/1.0 client gets a compressed reply delimited by the end of the connection', async (t) => {
  const text = textOf(100_000)
  const service = await startService(t, (_, response) => {
    response.setHeader('Content-Type', 'text/plain')
    response.end(text)
  })
  const { port } = await startGateway(t, compressing(service.url))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
  const reply = await client.reply()
  assert.equal(reply.fields.get('Content-Encoding'), 'gzip')
  assert.ok(gunzipSync(reply.body).equals(text))
})

/** A document with conditional updates, as services with strong entity tags have it. */
test('If-Match with the ETag of a compressed reply works, and fails once the resource has changed', async (t) => {
  const content = textOf(5000)
  let version = 1
  const service = await startService(t, ({ method, headers }, response) => {
    const tag = `"v${version}"`
    response.setHeader('ETag', tag)
    response.setHeader('Content-Type', 'text/plain')
    // Strong comparison: no weak tag matches (RFC 9110 section 13.1.1).
    const matches = (headers['if-match'] ?? '').split(', ').includes(tag)
    if (headers['if-none-match'] === tag) response.writeHead(304).end()
    else if (method === 'GET') response.end(content)
    else {
      if (matches) version++
      response.writeHead(matches ? 204 : 412).end()
    }
  })
  const { port } = await startGateway(t, compressing(service.url))
  const gzip = { 'Accept-Encoding': 'gzip' }
  const read = async () => (await send(port, { headers: gzip })).headers.etag!
  const change = async (known: string) =>
    (await send(port, { method: 'PUT', headers: { ...gzip, 'If-Match': known }, body: 'x' })).status
  const first = await read()
  assert.equal(first, 'W/"v1~compressed"')
  const confirmed = await send(port, { headers: { ...gzip, 'If-None-Match': first } })
  assert.deepEqual([confirmed.status, confirmed.headers.etag], [304, first])
  assert.equal(await change(first), 204)
  assert.equal(await change(first), 412)
  assert.equal(await change(`"x", ${await read()}`), 204)
  // A weak tag of the service stays weak.
  assert.equal(await change('W/"v3"'), 412)
  assert.equal(await change('"v3"'), 204)
})
