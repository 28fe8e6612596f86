import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink, PushedBody } from '../../test/support/bodies.ts'
import { ServerHarness, serverOptions } from '../../test/support/server-harness.ts'
import { Bytes, collect, isStream, type BodyStream } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Exchange } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import type { Tunnel, TunnelEnd } from '../http/upgrade.ts'

const text = (content: string, status = 200) => new Reply(status, Headers.of(), Bytes.fromLatin1(content))
const ok = () => text('ok')
const OK = 'HTTP/1.1 200 OK\r\nDate: Mon, 15 Jan 2024 10:30:00 GMT\r\nContent-Length: 2\r\n\r\nok'
const get = (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: a\r\n\r\n`
const post = (fields: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`
const streamOf = (exchange: Exchange): BodyStream => {
  assert.ok(isStream(exchange.body))
  return exchange.body
}
/** Lets promises that are already settled take effect. */
const settle = () => new Promise(setImmediate)

/** Status lines of the replies in what was written. */
const statuses = (written: string) => [...written.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))

/** A handler that answers when the test says so. */
function later() {
  const answers: ((reply: Reply) => void)[] = []
  return { answers, handle: () => new Promise<Reply>((resolve) => answers.push(resolve)) }
}

// Requests and replies

test('a request is answered and the connection kept open', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive(get('/a?b'))
  assert.equal(socket.flush(), OK)
  socket.receive(get('/c'))
  assert.equal(socket.flush(), OK)
  assert.equal(socket.hasEnded, false)
  assert.deepEqual(
    harness.exchanges.map(({ method, path, query, host }) => [method, path, query, host]),
    [
      ['GET', '/a', '?b', 'a'],
      ['GET', '/c', '', 'a'],
    ],
  )
  assert.deepEqual(
    harness.over.map(({ status, bytes, whole }) => [status, bytes, whole]),
    [
      [200, 2, true],
      [200, 2, true],
    ],
  )
})

test('a request can arrive byte by byte', () => {
  const harness = new ServerHarness(({ body }) => text(body instanceof Bytes ? body.toLatin1() : '-'))
  const { socket } = harness.open()
  for (const byte of get('/a')) socket.receive(byte)
  assert.match(socket.flush(), /\r\n\r\n-$/)
})

test('an empty line after a request does not start another one', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 1\r\n', 'x'))
  socket.receive('\r\n')
  harness.clock.advance(serverOptions.headTimeout + 1000)
  assert.equal(socket.flush(), OK)
  socket.receive(get('/a'))
  assert.match(socket.flush(), /^HTTP\/1\.1 200 OK/)
})

test('pipelined requests are answered in order, one at a time', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(get('/1') + get('/2') + get('/3').slice(0, 10))
  assert.equal(harness.exchanges.length, 1)
  assert.equal(socket.reading, false)
  answers.shift()!(text('one'))
  await settle()
  assert.match(socket.flush(), /one$/)
  assert.equal(harness.exchanges.length, 2)
  answers.shift()!(text('two'))
  await settle()
  assert.match(socket.flush(), /two$/)
  assert.equal(socket.reading, true)
  socket.receive(get('/3').slice(10))
  answers.shift()!(text('three'))
  await settle()
  assert.match(socket.flush(), /three$/)
  assert.deepEqual(
    harness.exchanges.map(({ path }) => path),
    ['/1', '/2', '/3'],
  )
})

test('a client that does not read its replies has no further requests read', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.taking = false
  socket.receive(get('/'))
  socket.receive(get('/').repeat(2))
  assert.equal(harness.exchanges.length, 1)
  socket.drain()
  assert.equal(harness.exchanges.length, 3)
  assert.equal(socket.flush(), OK.repeat(3))
})

test('replies to pipelined requests are not buffered without limit', () => {
  const harness = new ServerHarness(() => text('x'.repeat(10_000)))
  const { socket } = harness.open()
  socket.taking = false
  socket.receive(get('/').repeat(100))
  assert.ok(harness.exchanges.length < 10)
  socket.drain()
  assert.equal(harness.exchanges.length, 100)
})

test('replies in one turn are written in order, with one write', () => {
  const harness = new ServerHarness(({ path }) => text(path))
  const { socket } = harness.open()
  socket.takes = [true, false]
  socket.receive(get('/a') + get('/b') + get('/c'))
  assert.match(socket.flush(), /\/a.*\/b.*\/c$/s)
})

test('a client that reads nothing of its replies is cut off after writeTimeout', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.taking = false
  socket.receive(get('/'))
  harness.clock.advance(serverOptions.writeTimeout - 1)
  assert.equal(socket.destroyed, false)
  harness.clock.advance(300)
  assert.ok(socket.wasReset)
})

test('an error or rejection of the handler is answered, and the connection kept open', async () => {
  const throwing = new ServerHarness(() => {
    throw new GatewayError('not-found')
  })
  const rejecting = new ServerHarness(() => Promise.reject(new GatewayError('not-found')))
  for (const harness of [throwing, rejecting]) {
    const { socket } = harness.open()
    socket.receive(get('/'))
    await settle()
    assert.match(socket.flush(), /^HTTP\/1\.1 404 Not Found\r\n(?:(?!Connection).)*$/s)
    assert.equal(harness.refused[0]!.exchange, harness.exchanges[0])
    assert.equal(socket.hasEnded, false)
  }
})

test('an error of the handler is answered while the body is still arriving', () => {
  const harness = new ServerHarness(() => {
    throw new GatewayError('not-found')
  })
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n', 'ab'))
  assert.match(socket.flush(), /^HTTP\/1\.1 404 .*Connection: close\r\n\r\n/s)
  assert.ok(socket.hasEnded)
})

test('replies to HEAD, and 204 and 304, have no content, and cancel their body', () => {
  for (const [method, status, length] of [
    ['HEAD', 200, 'Content-Length: 2\r\n'],
    ['GET', 204, ''],
    ['GET', 304, 'Content-Length: 2\r\n'],
  ] as const) {
    const harness = new ServerHarness(() => text('ok', status))
    const { socket } = harness.open()
    socket.receive(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`)
    assert.ok(socket.flush().endsWith(`GMT\r\n${length}\r\n`))
    assert.equal(harness.over[0]!.bytes, 0)
    assert.equal(socket.hasEnded, false)
  }
  const body = new PushedBody(-1)
  const { socket } = new ServerHarness(() => new Reply(200, Headers.of(), body)).open()
  socket.receive('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(socket.flush(), /Transfer-Encoding: chunked\r\n\r\n$/)
  assert.ok(body.cancelled)
})

test('a stream of unknown length is chunked for HTTP/1.1, and the connection kept open', () => {
  const body = new PushedBody(-1)
  const { socket } = new ServerHarness(() => new Reply(200, Headers.of(), body)).open()
  socket.receive(get('/'))
  body.push('abc')
  body.end(Headers.of([['X-Sum', '1']]))
  assert.match(socket.flush(), /Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/)
  assert.equal(socket.hasEnded, false)
})

test('a stream of unknown length is close-delimited for HTTP/1.0', () => {
  const body = new PushedBody(-1)
  const { socket } = new ServerHarness(() => new Reply(200, Headers.of(), body)).open()
  socket.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  body.push('abc')
  assert.equal(socket.hasEnded, false)
  body.end()
  assert.match(socket.flush(), /GMT\r\nConnection: close\r\n\r\nabc$/)
  assert.ok(socket.hasEnded)
})

test('HTTP/1.0 is only kept alive on request, which is confirmed', () => {
  const { socket: kept } = new ServerHarness(ok).open()
  kept.receive('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  assert.match(kept.flush(), /Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok$/)
  assert.equal(kept.hasEnded, false)
  const { socket: closed } = new ServerHarness(ok).open()
  closed.receive('GET / HTTP/1.0\r\n\r\n')
  assert.match(closed.flush(), /Connection: close\r\n\r\nok$/)
  assert.ok(closed.destroyed)
})

test('after Connection: close the connection closes, and further data is not read', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get('/more')}`)
  assert.match(socket.flush(), /Connection: close\r\n\r\nok$/)
  assert.ok(socket.destroyed && !socket.wasReset)
  socket.receive(get('/more'))
  assert.equal(harness.exchanges.length, 1)
})

test('a client that sends Connection: close and does not read its reply is cut off', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.taking = false
  socket.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.ok(socket.hasEnded)
  harness.clock.advance(serverOptions.writeTimeout - 1)
  assert.equal(socket.destroyed, false)
  harness.clock.advance(300)
  assert.ok(socket.wasReset)
})

test('a client that has sent more after Connection: close has time to read its reply', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get('/more')}`)
  answers[0]!(ok())
  await settle()
  assert.ok(socket.hasEnded && socket.reading)
  assert.equal(socket.destroyed, false)
  assert.equal(harness.exchanges.length, 1)
})

test('headers that Connection names do not reach the handler', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\nTE: trailers\r\n\r\n')
  assert.equal(harness.exchanges[0]!.headers.toWire(), 'X-End: 2\r\n')
  assert.ok(harness.exchanges[0]!.acceptsTrailers)
})

// Request bodies

test('a body that arrives with its head becomes bytes, whatever its framing', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 3\r\n', 'abc'))
  socket.receive(post('Transfer-Encoding: chunked\r\n', '1\r\na\r\n2\r\nbc\r\n0\r\n\r\n'))
  socket.receive(post('Content-Length: 0\r\n'))
  socket.receive(post(''))
  assert.deepEqual(
    harness.exchanges.map(({ body }) => (body instanceof Bytes ? body.toLatin1() : body)),
    ['abc', 'abc', null, null],
  )
  assert.equal(socket.flush(), OK.repeat(4))
})

test('a body that arrives later is a stream, and the next request can follow in the same read', () => {
  const harness = new ServerHarness(async ({ body }) => text((await collect(body, 100, 'a client')).toLatin1()))
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n'))
  assert.equal(streamOf(harness.exchanges[0]!).length, 5)
  socket.receive('ab')
  socket.receive(`cde${get('/next')}`)
  return settle().then(() => {
    assert.deepEqual(statuses(socket.written), [200, 200])
    assert.match(socket.flush(), /abcde/)
    assert.equal(harness.exchanges[1]!.path, '/next')
  })
})

test('after a chunked body with trailers in one read, the connection keeps reading', () => {
  const sink = new CollectingSink()
  const harness = new ServerHarness((exchange) => {
    if (exchange.method === 'POST') streamOf(exchange).pipe(sink)
    return ok()
  })
  const { socket } = harness.open()
  socket.receive(post('Transfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\nX-T: 1\r\n\r\n'))
  assert.equal(sink.text, 'ab')
  assert.equal(sink.trailers?.get('X-T'), '1')
  assert.equal(socket.reading, true)
  socket.receive(get('/next'))
  assert.equal(socket.flush(), OK.repeat(2))
})

test('after a body that arrived before it was piped, the connection keeps reading', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 4\r\n', 'ab'))
  assert.equal(socket.reading, false)
  const sink = new CollectingSink()
  streamOf(harness.exchanges[0]!).pipe(sink)
  assert.equal(socket.reading, true)
  socket.receive('cd')
  assert.equal(sink.text, 'abcd')
  answers[0]!(ok())
  await settle()
  assert.equal(socket.flush(), OK)
  assert.equal(socket.reading, true)
})

test('a reply before the end of the body closes the connection, and the body is discarded', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n', 'ab'))
  assert.match(socket.flush(), /Connection: close\r\n\r\nok$/)
  assert.ok(socket.hasEnded)
  assert.equal(socket.reading, true)
  socket.receive(`cde${get('/next')}`)
  assert.equal(harness.exchanges.length, 1)
  assert.equal(socket.flush(), '')
})

test('a reply before the end of a body that is piped keeps the connection open', () => {
  const sink = new CollectingSink()
  const harness = new ServerHarness((exchange) => {
    if (exchange.method === 'POST') streamOf(exchange).pipe(sink)
    return ok()
  })
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n', 'ab'))
  assert.equal(socket.flush(), OK)
  socket.receive(`cde${get('/next')}`)
  assert.equal(sink.text, 'abcde')
  assert.ok(sink.ended)
  assert.equal(socket.flush(), OK)
})

test('a failure of the body after its reply is not answered again', () => {
  for (const breaks of [
    (harness: ServerHarness) => harness.clock.advance(serverOptions.bodyTimeout + 300),
    (_: ServerHarness, receive: (text: string) => void) => receive('x\r\n'),
  ]) {
    const sink = new CollectingSink()
    const harness = new ServerHarness((exchange) => {
      streamOf(exchange).pipe(sink)
      return ok()
    })
    const { socket } = harness.open()
    socket.receive(post('Transfer-Encoding: chunked\r\n', '1\r\na\r\n'))
    assert.equal(socket.flush(), OK)
    breaks(harness, (more) => socket.receive(more))
    assert.equal(socket.flush(), '')
    assert.ok(sink.error !== null)
    assert.ok(socket.hasEnded)
  }
})

test('cancelling a body closes the connection after the reply', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n'))
  const body = streamOf(harness.exchanges[0]!)
  body.pipe(new CollectingSink())
  body.cancel()
  assert.equal(socket.reading, false)
  answers[0]!(ok())
  await settle()
  assert.match(socket.flush(), /Connection: close\r\n\r\nok$/)
  assert.ok(socket.hasEnded && socket.reading)
})

test('cancelling a body after its reply closes the connection at once', () => {
  const sink = new CollectingSink()
  const harness = new ServerHarness((exchange) => {
    streamOf(exchange).pipe(sink)
    return ok()
  })
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n', 'ab'))
  streamOf(harness.exchanges[0]!).cancel()
  assert.equal(socket.flush(), OK)
  assert.ok(socket.hasEnded)
})

test('a Content-Length over the limit is rejected before the body is read', () => {
  const harness = new ServerHarness(ok, { body: 4 })
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 5\r\n', 'abcde'))
  assert.match(socket.flush(), /^HTTP\/1\.1 413 .*Connection: close.*"status":413/s)
  assert.equal(harness.exchanges.length, 0)
  assert.equal(harness.over[0]!.status, 413)
  assert.ok(socket.hasEnded)
})

test('a chunked body over the limit is rejected, or fails if it was piped', async () => {
  const early = new ServerHarness(ok, { body: 4 })
  const { socket } = early.open()
  socket.receive(post('Transfer-Encoding: chunked\r\n', '5\r\nabcde\r\n'))
  assert.match(socket.flush(), /^HTTP\/1\.1 413 /)
  assert.equal(early.exchanges.length, 0)

  const late = new ServerHarness(async ({ body }) => text((await collect(body, 100, 'a client')).toLatin1()), {
    body: 4,
  })
  const { socket: other } = late.open()
  other.receive(post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n'))
  other.receive('2\r\nde\r\n')
  await settle()
  assert.match(other.flush(), /^HTTP\/1\.1 413 .*Connection: close/s)
  assert.ok(other.hasEnded)
})

test('invalid chunked coding is 400 and closes the connection', async () => {
  const early = new ServerHarness(ok)
  const { socket } = early.open()
  socket.receive(post('Transfer-Encoding: chunked\r\n', 'zz\r\n'))
  assert.match(socket.flush(), /^HTTP\/1\.1 400 .*Connection: close/s)
  assert.equal(early.over[0]!.status, 400)

  const late = new ServerHarness(async ({ body }) => text((await collect(body, 100, 'a client')).toLatin1()))
  const { socket: other } = late.open()
  other.receive(post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n'))
  other.receive(`zz\r\n${get('/smuggled')}`)
  await settle()
  assert.deepEqual(statuses(other.written), [400])
  assert.equal(late.exchanges.length, 1)
})

test('100 Continue is sent once, when the body is piped', () => {
  const harness = new ServerHarness(async ({ body }) => text((await collect(body, 100, 'a client')).toLatin1()))
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 2\r\nExpect: 100-continue\r\n'))
  assert.equal(socket.flush(), 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.receive('ab')
  return settle().then(() => assert.match(socket.flush(), /^HTTP\/1\.1 200 .*\r\n\r\nab$/s))
})

test('100 Continue is not sent if nobody wants the body', () => {
  const { socket } = new ServerHarness(ok).open()
  socket.receive(post('Content-Length: 2\r\nExpect: 100-continue\r\n'))
  assert.deepEqual(statuses(socket.written), [200])
  assert.match(socket.written, /Connection: close/)
})

test('an expectation without a body is ignored', () => {
  const { socket } = new ServerHarness(ok).open()
  socket.receive(post('Expect: 100-continue\r\n'))
  assert.equal(socket.flush(), OK)
})

test('interim responses are sent to an HTTP/1.1 client until its reply starts', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(get('/'))
  harness.exchanges[0]!.sendInterim(103, Headers.of([['Link', '</a>']]))
  assert.equal(socket.flush(), 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
  const body = new PushedBody(-1)
  answers[0]!(new Reply(200, Headers.of(), body))
  await settle()
  socket.flush()
  harness.exchanges[0]!.sendInterim(103, Headers.of())
  assert.equal(socket.flush(), '')

  const { socket: old } = harness.open()
  old.receive(get('/', '1.0'))
  harness.exchanges[1]!.sendInterim(103, Headers.of())
  assert.equal(old.flush(), '')
})

for (const status of [99, 100, 101, 102.5, 200, 999, Number.NaN])
  test(`${status} is not allowed as an interim response`, () => {
    const harness = new ServerHarness(later().handle)
    const { socket } = harness.open()
    socket.receive(get('/'))
    const message = `an interim response with status ${status}; expected 102 to 199`
    assert.throws(() => harness.exchanges[0]!.sendInterim(status, Headers.of()), { name: 'RangeError', message })
    assert.equal(socket.flush(), '')
  })

// Refusals

test('a malformed request gets a problem document, and the connection closes', () => {
  for (const [request, status] of [
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\nHost: a\n\n', 400],
    ['\x16\x03\x01\x02', 400],
    ['GET / HTTP/2.0\r\n', 505],
    [`GET /${'a'.repeat(8192)} HTTP/1.1\r\n`, 414],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(16_384)}`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(100)}`, 431],
    ['CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 501],
  ] as const) {
    const harness = new ServerHarness(ok)
    const { socket } = harness.open()
    socket.receive(request + get('/smuggled'))
    const [head = '', body = ''] = socket.flush().split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(head, /Content-Type: application\/problem\+json/)
    assert.match(head, /Connection: close/)
    assert.match(head, new RegExp(`Content-Length: ${Buffer.byteLength(body)}(\r|$)`))
    assert.match(head, /Date: /)
    assert.match(body, new RegExp(`"status":${status}`))
    assert.ok(socket.hasEnded)
    assert.equal(harness.exchanges.length, 0)
    assert.equal(harness.refused[0]!.exchange, null)
  }
})

test('a malformed request after a valid one is answered after it', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(`${get('/')}GARBAGE\r\n\r\n`)
  assert.equal(socket.written, '')
  answers[0]!(ok())
  await settle()
  assert.deepEqual(statuses(socket.flush()), [200, 400])
  assert.ok(socket.hasEnded)
})

test('after a rejection the client has time to read it', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive('X\r\n\r\n')
  assert.ok(socket.hasEnded && socket.reading)
  for (let second = 0; second < 30; second++) {
    socket.receive('x'.repeat(1_000_000))
    harness.clock.advance(1_000)
    assert.equal(socket.destroyed, false)
  }
  harness.clock.advance(300)
  assert.ok(socket.destroyed)
})

test('a client that sends Connection: close with an oversized body has time to read the 413', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000000\r\n\r\nbody')
  assert.deepEqual(statuses(socket.flush()), [413])
  assert.ok(socket.hasEnded && socket.reading)
  socket.receive('x'.repeat(1_000_000))
  harness.clock.advance(1_500)
  socket.receive('x'.repeat(1_000_000))
  assert.equal(socket.destroyed, false)
  harness.clock.advance(2_500)
  assert.ok(socket.destroyed)
})

test('a client that keeps its side open after the end is disconnected after 2 seconds', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive('X\r\n\r\n')
  harness.clock.advance(1900)
  assert.equal(socket.destroyed, false)
  harness.clock.advance(400)
  assert.ok(socket.destroyed)
})

// Times

test('a connection without a request is closed after idleTimeout', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  harness.clock.advance(serverOptions.idleTimeout - 1)
  socket.receive(get('/'))
  socket.flush()
  harness.clock.advance(serverOptions.idleTimeout - 1)
  assert.equal(socket.hasEnded, false)
  harness.clock.advance(300)
  assert.ok(socket.hasEnded)
  assert.equal(socket.flush(), '')
})

test('a head that takes too long is 408, however steadily it arrives', () => {
  for (const [start, more] of [
    ['', 'G'],
    ['GET / HTTP/1.1\r\n', 'X: 1\r\n'],
  ] as const) {
    const harness = new ServerHarness(ok)
    const { socket } = harness.open()
    socket.receive(start + more)
    for (let i = 0; i < 9; i++) {
      harness.clock.advance(serverOptions.headTimeout / 10)
      socket.receive(more)
    }
    assert.equal(socket.hasEnded, false)
    harness.clock.advance(serverOptions.headTimeout / 10 + 300)
    assert.match(socket.flush(), /^HTTP\/1\.1 408 .*Connection: close.*request head/s)
    assert.ok(socket.hasEnded)
  }
})

test('a stalled body is 408, and one that arrives steadily is not', async () => {
  const harness = new ServerHarness(async ({ body }) => text((await collect(body, 100, 'a client')).toLatin1()))
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 9\r\n'))
  for (let i = 0; i < 5; i++) {
    harness.clock.advance(serverOptions.bodyTimeout - 1)
    socket.receive('x')
  }
  assert.equal(socket.written, '')
  harness.clock.advance(serverOptions.bodyTimeout + 300)
  await settle()
  assert.match(socket.flush(), /^HTTP\/1\.1 408 .*Connection: close.*request body/s)
  assert.ok(socket.hasEnded)
})

test('a paused body does not time out', () => {
  const sink = new CollectingSink()
  const harness = new ServerHarness((exchange) => {
    streamOf(exchange).pipe(sink)
    return later().handle()
  })
  const { socket } = harness.open()
  sink.taking = false
  socket.receive(post('Content-Length: 9\r\n', 'ab'))
  assert.equal(socket.reading, false)
  harness.clock.advance(serverOptions.bodyTimeout * 10)
  assert.equal(socket.destroyed, false)
  assert.equal(sink.error, null)
})

test('a handler may take any time', () => {
  const harness = new ServerHarness(later().handle)
  const { socket } = harness.open()
  socket.receive(get('/'))
  harness.clock.advance(3_600_000)
  assert.equal(socket.destroyed, false)
  assert.equal(socket.written, '')
})

test('a client that does not read a stream is cut off after writeTimeout, and the stream cancelled', async () => {
  const body = new PushedBody(-1)
  const harness = new ServerHarness(() => new Reply(200, Headers.of(), body))
  const { socket } = harness.open()
  socket.receive(get('/'))
  socket.taking = false
  assert.equal(body.push('a'), false)
  harness.clock.advance(serverOptions.writeTimeout - 1)
  socket.drain()
  assert.equal(body.resumed, 1)
  harness.clock.advance(serverOptions.writeTimeout * 2)
  assert.equal(socket.destroyed, false, 'the stream is slow, not the client')
  socket.taking = false
  body.push('b')
  harness.clock.advance(serverOptions.writeTimeout + 300)
  assert.ok(socket.wasReset)
  await settle()
  assert.ok(body.cancelled)
  assert.deepEqual([harness.over[0]!.status, harness.over[0]!.whole], [200, false])
})

test('a client that neither reads the reply nor can send the rest of its body is cut off', async () => {
  for (const first of ['reply', 'body']) {
    const reply = new PushedBody(-1)
    const sink = new CollectingSink()
    const harness = new ServerHarness((exchange) => {
      streamOf(exchange).pipe(sink)
      return new Reply(200, Headers.of(), reply)
    })
    const { socket } = harness.open()
    socket.receive(post('Content-Length: 9\r\n'))
    const steps = [
      () => {
        socket.taking = false
        reply.push('a')
      },
      () => {
        sink.taking = false
        socket.receive('x')
      },
    ]
    for (const step of first === 'reply' ? steps : steps.toReversed()) step()
    harness.clock.advance(serverOptions.writeTimeout + 300)
    assert.ok(socket.wasReset)
    await settle()
    assert.ok(reply.cancelled)
    assert.ok(sink.error !== null)
  }
})

test('a client that has sent its body and does not read the reply is cut off', async () => {
  const reply = new PushedBody(-1)
  const harness = new ServerHarness((exchange) => {
    streamOf(exchange).pipe(new CollectingSink())
    return new Reply(200, Headers.of(), reply)
  })
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 2\r\n'))
  socket.taking = false
  reply.push('a')
  socket.receive('xy')
  harness.clock.advance(serverOptions.writeTimeout + 300)
  assert.ok(socket.wasReset)
  await settle()
  assert.ok(reply.cancelled)
})

test('the minimum rate applies to buffered data even after the service has finished', async () => {
  for (const rate of [0, 240]) {
    const body = new PushedBody(-1)
    const harness = new ServerHarness(() => new Reply(200, Headers.of(), body), { minRate: rate })
    const { socket } = harness.open()
    socket.receive(get('/'))
    socket.taking = false
    body.push('a'.repeat(1_000))
    body.push('a'.repeat(1_000))
    body.end()
    assert.equal(harness.over.length, 1)
    harness.clock.advance(6_000)
    assert.deepEqual(harness.slowClients, rate === 0 ? [] : ['reply-rate'])
    assert.equal(socket.wasReset, rate !== 0)
  }
})

test('a client that reads neither the end of one reply nor the next is cut off', async () => {
  const bodies = [new PushedBody(-1), new PushedBody(-1)]
  const harness = new ServerHarness(({ path }) => new Reply(200, Headers.of(), bodies[path === '/a' ? 0 : 1]!))
  const { socket } = harness.open()
  // As long as little waits in the socket, another request is read.
  socket.room = 1_000
  socket.receive(get('/a'))
  socket.taking = false
  bodies[0]!.push('a')
  bodies[0]!.end()
  socket.receive(get('/b'))
  bodies[1]!.push('b')
  harness.clock.advance(serverOptions.writeTimeout + 300)
  assert.ok(socket.wasReset)
  await settle()
  assert.ok(bodies[1]!.cancelled)
})

test('a chunk of the next reply is in use until the client has read it, whenever the previous one was read', () => {
  const body = new PushedBody(-1)
  const harness = new ServerHarness(({ path }) => (path === '/a' ? text('a') : new Reply(200, Headers.of(), body)))
  const { socket } = harness.open()
  socket.taking = false
  socket.receive(get('/a'))
  socket.receive(get('/b'))
  const chunk = 'b'.repeat(20_000)
  body.pipe = (sink) => {
    body.sink = sink
    socket.takes = [false, false, false]
    assert.equal(body.push(chunk), false)
  }
  socket.drain()
  assert.equal(body.resumed, 0)
  socket.drain()
  assert.equal(body.resumed, 1)
  assert.ok(socket.written.includes(chunk))
})

// Endings

test('a failing stream resets the connection, so that it does not look complete', async () => {
  const body = new PushedBody(-1)
  const harness = new ServerHarness(() => new Reply(200, Headers.of(), body))
  const { socket } = harness.open()
  socket.receive(get('/'))
  body.push('a')
  body.sink!.fail(new Error('gone'))
  assert.ok(socket.wasReset)
  await settle()
  assert.equal(harness.over[0]!.whole, false)
  assert.equal(harness.closedConnections, 1)
})

test('a client that half-closes gets the replies to all of its requests, and then the end', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(get('/a') + get('/b'))
  socket.emit('end')
  await settle()
  assert.equal(harness.exchanges[0]!.aborted, false)
  answers[0]!(new Reply(200, Headers.of(), Bytes.fromText('first')))
  await settle()
  assert.equal(harness.exchanges.length, 2)
  assert.ok(!socket.destroyed && !socket.hasEnded)
  answers[1]!(new Reply(200, Headers.of(), Bytes.fromText('second')))
  await settle()
  assert.match(socket.written, /first.*second$/s)
  assert.ok(socket.hasEnded)
  assert.deepEqual(
    harness.over.map(({ status, whole }) => [status, whole]),
    [
      [200, true],
      [200, true],
    ],
  )
})

test('a half-close during a request counts as a disconnect', async () => {
  for (const begun of ['GET / HT', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc']) {
    const { handle } = later()
    const harness = new ServerHarness(handle)
    const { socket } = harness.open()
    socket.receive(begun)
    socket.emit('end')
    await settle()
    assert.ok(socket.destroyed, begun)
  }
})

test('a half-close during an event stream counts as a disconnect', async () => {
  const body = new PushedBody(-1)
  const harness = new ServerHarness(() => new Reply(200, Headers.of([['Content-Type', 'text/event-stream']]), body))
  const { socket } = harness.open()
  socket.receive(get('/'))
  body.push('data: 1\n\n')
  socket.emit('end')
  await settle()
  assert.ok(socket.destroyed)
  assert.equal(harness.over[0]!.whole, false)
})

test('a half-close before an event stream starts counts as a disconnect', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(get('/'))
  socket.emit('end')
  const body = new PushedBody(-1)
  answers[0]!(new Reply(200, Headers.of([['Content-Type', 'text/event-stream']]), body))
  await settle()
  assert.ok(socket.destroyed && body.cancelled)
  assert.equal(socket.written, '')
  assert.deepEqual([harness.over[0]!.status, harness.over[0]!.whole], [499, false])
})

test('a disconnect aborts the exchange, and its reply is discarded', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const { socket } = harness.open()
  socket.receive(get('/'))
  const exchange = harness.exchanges[0]!
  let aborted = 0
  exchange.waiter = { abort: () => void aborted++ }
  socket.destroy()
  await settle()
  assert.ok(exchange.aborted)
  assert.equal(aborted, 1)
  assert.deepEqual([harness.over[0]!.status, harness.over[0]!.whole], [499, false])
  const body = new PushedBody(-1)
  answers[0]!(new Reply(200, Headers.of(), body))
  await settle()
  assert.ok(body.cancelled)
  assert.equal(socket.written, '')
  assert.equal(harness.over.length, 1)
  exchange.sendInterim(103, Headers.of())
  assert.equal(socket.written, '')
})

test('a rejection after a disconnect is ignored', async () => {
  const answers: ((error: Error) => void)[] = []
  const harness = new ServerHarness(() => new Promise((_, reject) => answers.push(reject)))
  const { socket } = harness.open()
  socket.receive(get('/'))
  socket.destroy()
  await settle()
  answers[0]!(new GatewayError('client-closed'))
  await settle()
  assert.equal(harness.refused.length, 0)
})

test('a disconnect during a body fails it', async () => {
  const sink = new CollectingSink()
  const harness = new ServerHarness((exchange) => {
    streamOf(exchange).pipe(sink)
    return later().handle()
  })
  const { socket } = harness.open()
  socket.receive(post('Content-Length: 9\r\n', 'ab'))
  socket.emit('error', new Error('ECONNRESET'))
  await settle()
  assert.equal(sink.error instanceof GatewayError && sink.error.code, 'client-closed')
  assert.equal(harness.closedConnections, 1)
})

test('a half-close between requests closes the connection', () => {
  const { socket } = new ServerHarness(ok).open()
  socket.receive(get('/'))
  socket.emit('end')
  assert.ok(socket.hasEnded)
  assert.equal(socket.destroyed, false)
})

test('a client that half-closes while reading gets the whole reply', () => {
  const { socket } = new ServerHarness(ok).open()
  socket.taking = false
  socket.receive(get('/'))
  socket.emit('end')
  assert.equal(socket.destroyed, false)
  assert.ok(socket.hasEnded)
})

test('a half-close during a head drops the connection', () => {
  const harness = new ServerHarness(ok)
  const { socket } = harness.open()
  socket.receive('GET / HT')
  socket.emit('end')
  assert.ok(socket.destroyed)
  assert.equal(harness.refused.length, 0)
})

test('drain closes an idle connection at once and a busy one after its reply', async () => {
  const { answers, handle } = later()
  const harness = new ServerHarness(handle)
  const idle = harness.open()
  idle.connection.drain()
  assert.ok(idle.socket.hasEnded)
  const busy = harness.open()
  busy.socket.receive(get('/1') + get('/2'))
  busy.connection.drain()
  assert.equal(busy.socket.hasEnded, false)
  answers[0]!(ok())
  await settle()
  assert.match(busy.socket.flush(), /Connection: close\r\n\r\nok$/)
  assert.ok(busy.socket.hasEnded)
  assert.equal(harness.exchanges.length, 1)
})

test('drain during a stream closes the connection after it', () => {
  const body = new PushedBody(-1)
  const harness = new ServerHarness(() => new Reply(200, Headers.of(), body))
  const { connection, socket } = harness.open()
  socket.receive(get('/'))
  connection.drain()
  assert.equal(socket.hasEnded, false)
  body.end()
  assert.match(socket.flush(), /0\r\n\r\n$/)
  assert.ok(socket.hasEnded)
})

test('a closed connection has no deadline', async () => {
  const harness = new ServerHarness(ok)
  const { connection } = harness.open()
  assert.equal(harness.deadlines.size, 1)
  connection.cutOff()
  await settle()
  assert.equal(harness.deadlines.size, 0)
  assert.equal(harness.closedConnections, 1)
})

// Upgrades

class RecordingTunnel implements Tunnel {
  readonly error = null
  bytes = 7
  readonly calls: string[] = []
  fromClient = (bytes: Buffer): void => void this.calls.push(bytes.toString('latin1'))
  clientDrained = (): void => void this.calls.push('drained')
  clientEnded = (): void => void this.calls.push('ended')
  close = (): void => void this.calls.push('close')
  leave = (status: number): void => void this.calls.push(`leave ${status}`)
  destroy = (): void => void this.calls.push('destroy')
}

function changing(refused: string[] = []) {
  const tunnel = new RecordingTunnel()
  const reply = new Reply(101, Headers.of([['X-A', '1']]), null)
  reply.upgrade = { protocol: 'websocket', open: () => tunnel, refuse: () => void refused.push('refused') }
  return { tunnel, reply }
}

const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

test('after an upgrade everything goes through the tunnel', async () => {
  for (const atOnce of [true, false]) {
    const { tunnel, reply } = changing()
    const harness = new ServerHarness(() => (atOnce ? reply : Promise.resolve(reply)))
    const { socket } = harness.open()
    socket.receive(`${upgrade}early`)
    await settle()
    assert.equal(harness.exchanges[0]!.upgrade, 'websocket')
    assert.match(socket.flush(), /^HTTP\/1\.1 101 .*X-A: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/s)
    assert.equal(socket.reading, true)
    socket.receive('more')
    socket.drain()
    socket.emit('end')
    assert.deepEqual(tunnel.calls, ['early', 'more', 'drained', 'ended'])
    harness.clock.advance(3_600_000)
    assert.equal(socket.destroyed, false)
    socket.destroy()
    await settle()
    assert.equal(tunnel.calls.at(-1), 'close')
    assert.deepEqual(
      harness.over.map(({ status, bytes, whole }) => [status, bytes, whole]),
      [[101, 7, true]],
    )
  }
})

test('a client that reads nothing from its tunnel is cut off after writeTimeout', async () => {
  const { tunnel, reply } = changing()
  const ends: TunnelEnd[] = []
  Object.assign(reply.upgrade!, { open: (end: TunnelEnd) => (ends.push(end), tunnel) })
  const harness = new ServerHarness(() => reply)
  const { socket } = harness.open()
  socket.receive(upgrade)
  socket.taking = false
  assert.equal(ends[0]!.write(Buffer.from('a')), false)
  harness.clock.advance(serverOptions.writeTimeout - 1)
  socket.drain()
  assert.deepEqual(tunnel.calls, ['drained'])
  harness.clock.advance(serverOptions.writeTimeout * 2)
  assert.equal(socket.destroyed, false, 'nothing waits for it')
  socket.taking = false
  ends[0]!.write(Buffer.from('b'))
  harness.clock.advance(serverOptions.writeTimeout + 300)
  assert.ok(socket.wasReset)
  await settle()
  assert.equal(tunnel.calls.at(-1), 'close')
  assert.deepEqual(harness.slowClients, ['reply-timeout'])
})

test('a half-close before the upgrade is passed to the tunnel', async () => {
  const { tunnel, reply } = changing()
  const { answers, handle } = later()
  const { socket } = new ServerHarness(handle).open()
  socket.receive(upgrade)
  socket.emit('end')
  answers[0]!(reply)
  await settle()
  assert.deepEqual(tunnel.calls, ['ended'])
})

test('a client that sends more may stay in its tunnel once it has taken the last data of the service', async () => {
  const { tunnel, reply } = changing()
  const ends: TunnelEnd[] = []
  Object.assign(reply.upgrade!, { open: (end: TunnelEnd) => (ends.push(end), tunnel) })
  const harness = new ServerHarness(() => reply)
  const { socket } = harness.open()
  socket.receive(upgrade)
  socket.taking = false
  ends[0]!.write(Buffer.from('a'))
  ends[0]!.end()
  // A stream that has ended has no such event any more.
  socket.removeAllListeners('drain')
  socket.drain()
  harness.clock.advance(serverOptions.writeTimeout * 3)
  assert.deepEqual([socket.destroyed, harness.slowClients], [false, []])
})

test('cutting off a connection leaves its tunnel', () => {
  const { tunnel, reply } = changing()
  const { connection, socket } = new ServerHarness(() => reply).open()
  socket.receive(upgrade)
  connection.cutOff()
  assert.deepEqual(tunnel.calls, ['leave 1001'])
  assert.equal(socket.destroyed, false)
})

test('an upgrade after a disconnect is rejected', async () => {
  const refused: string[] = []
  const { answers, handle } = later()
  const { socket } = new ServerHarness(handle).open()
  socket.receive(upgrade)
  socket.destroy()
  await settle()
  answers[0]!(changing(refused).reply)
  await settle()
  assert.deepEqual(refused, ['refused'])
})
