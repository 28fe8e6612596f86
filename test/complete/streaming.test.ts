import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { connect, startRawService } from '../support/peer.ts'

async function setUp(t: TestContext) {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  return { service, client: await connect(t, port) }
}

for (const [name, fields, frame] of [
  ['chunked', 'Transfer-Encoding: chunked\r\n', (event: string) => `${event.length.toString(16)}\r\n${event}\r\n`],
  ['close-delimited', '', (event: string) => event],
] as const)
  test(`each server-sent event arrives before the next one is sent (${name})`, async (t) => {
    const { service, client } = await setUp(t)
    client.write('GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nLast-Event-ID: 7\r\n\r\n')
    const peer = await service.accept()
    assert.equal((await peer.request()).fields.get('Last-Event-ID'), '7')
    peer.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n${fields}\r\n`)
    assert.match(await client.until('\r\n\r\n'), /\r\nContent-Type: text\/event-stream\r\n/)
    for (let i = 0; i < 50; i++) {
      peer.write(frame(`id: ${i}\ndata: event ${i}\n\n`))
      await client.until(`data: event ${i}\n\n`)
    }
    client.end()
    await peer.closed()
  })

test('each part of an upload arrives before the next one is sent', async (t) => {
  const { service, client } = await setUp(t)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
  const peer = await service.accept()
  await peer.until('first')
  for (let i = 0; i < 50; i++) {
    client.write(`4\r\n${String(i).padStart(4, '.')}\r\n`)
    await peer.until(String(i).padStart(4, '.'))
  }
  client.write('0\r\n\r\n')
  await peer.until('0\r\n\r\n')
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await client.reply()
})

test('a reply can start while the request is still being sent', async (t) => {
  const { service, client } = await setUp(t)
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
  const peer = await service.accept()
  await peer.until('first\r\n')
  peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  await client.until('\r\n\r\n')
  for (let i = 0; i < 20; i++) {
    const part = `3\r\n${String(i).padStart(3, '.')}\r\n`
    client.write(part)
    assert.equal(await peer.until(part), part)
    peer.write(part)
    assert.equal(await client.until(part), part)
  }
  client.write('0\r\n\r\n')
  await peer.until('0\r\n\r\n')
  peer.write('0\r\n\r\n')
  await client.until('0\r\n\r\n')
  client.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match((await peer.request()).start, /^GET \/next /)
})

test('early hints arrive before the final reply', async (t) => {
  const { service, client } = await setUp(t)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  for (const link of ['</a.css>; rel=preload', '</b.css>; rel=preload']) {
    peer.write(`HTTP/1.1 103 Early Hints\r\nLink: ${link}\r\nConnection: X\r\nX: 1\r\n\r\n`)
    const { start, fields } = await client.reply()
    assert.equal(start, 'HTTP/1.1 103 Early Hints')
    assert.deepEqual(fields.lines, [`Link: ${link}`])
  }
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  assert.equal((await client.reply()).body.toString(), 'ok')
})

test('an HTTP/1.0 client gets the reply without early hints, chunks and trailers', async (t) => {
  const { service, client } = await setUp(t)
  client.write('GET / HTTP/1.0\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
  peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n')
  const all = (await client.rest()).toString('latin1')
  assert.match(all, /^HTTP\/1\.1 200 OK\r\n/)
  assert.doesNotMatch(all, /chunked|X-Sum|103/)
  assert.match(all, /\r\n\r\nhello$/)
})

test('trailers are forwarded in both directions', async (t) => {
  const { service, client } = await setUp(t)
  client.write(
    'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  client.write('5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n')
  const peer = await service.accept()
  const received = await peer.request()
  assert.equal(received.fields.get('TE'), 'trailers')
  assert.equal(received.fields.get('Trailer'), 'X-Sum')
  assert.deepEqual(received.trailers.lines, ['X-Sum: 1', 'X-More: 2'])
  peer.write('HTTP/1.1 200 OK\r\nTrailer: X-Got\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Got: 5\r\n\r\n')
  const answer = await client.reply()
  assert.equal(answer.fields.get('Trailer'), 'X-Got')
  assert.deepEqual(answer.trailers.lines, ['X-Got: 5'])
})

test('HTTP/1.0 services are supported, with and without keep-alive', async (t) => {
  const { service, client } = await setUp(t)
  client.write('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  const first = await service.accept()
  await first.request()
  first.write('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1')
  assert.equal((await client.reply()).body.toString(), '1')
  client.write('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match((await first.request()).start, /^GET \/2 HTTP\/1\.1/)
  first.write('HTTP/1.0 200 OK\r\n\r\nuntil the end')
  first.end()
  assert.equal((await client.reply()).body.toString(), 'until the end')
  client.write('GET /3 HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match((await (await service.accept()).request()).start, /^GET \/3 /)
})
