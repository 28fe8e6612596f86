import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink, PushedBody } from '../../test/support/bodies.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { OUTGOING_HEAD, outgoing } from '../../test/support/outgoing.ts'
import { readInto, RecordingSocket } from '../../test/support/recording-socket.ts'
import { Bytes, isStream } from '../http/body.ts'
import { GatewayError } from '../core/errors.ts'
import type { Headers } from '../http/headers.ts'
import type { Reply } from '../http/reply.ts'
import { ClientConnection, type ClientOwner } from './client-connection.ts'
import type { ClientOptions } from '../http/pool-options.ts'
import type { ReplyListener } from '../http/lane.ts'
import { ClosedBeforeReply } from '../http/lane-errors.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'
import { Deadlines } from '../http/deadlines.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import { ResponseHead } from './response-head.ts'

const options = {
  ...defaultHeadLimits,
  responseTimeout: 30_000,
  idleTimeout: 60_000,
  poolTimeout: 40_000,
  lifetime: () => 300_000,
  encryption: null,
}

/** Lets events that are already on their way come. */
const settle = () => new Promise(setImmediate)

/** A connection whose owner and listener record their calls. */
class Harness implements ClientOwner, ReplyListener {
  readonly clock = new ManualClock()
  readonly deadlines = new Deadlines(this.clock)
  readonly socket = new RecordingSocket()
  readonly calls: string[] = []
  mayLast = true
  reply: Reply | null = null
  error: GatewayError | null = null
  readonly options: ClientOptions = options
  readonly head = new ResponseHead(options)
  readonly connection = new ClientConnection(this.socket, this, this.deadlines)

  constructor() {
    readInto(this.socket, this.connection)
  }

  send(parts: Partial<OutgoingRequest> = {}): this {
    this.reply = this.error = null
    this.calls.length = 0
    this.connection.exchange({ ...outgoing, ...parts }, this)
    return this
  }

  receive(text: string): this {
    this.socket.receive(text)
    return this
  }

  release = (): void => void this.calls.push('release')
  detach = (): boolean => this.mayLast
  closed = (): void => void this.calls.push('closed')
  finished = (): void => void this.calls.push('finished')
  interimReply = (status: number, headers: Headers): void =>
    void this.calls.push(`informed ${status} ${headers.toWire()}`)
  replied = (reply: Reply): void => {
    this.reply = reply
    this.calls.push('replied')
  }
  failed = (error: GatewayError): void => {
    this.error = error
    this.calls.push(`failed ${error.code}`)
  }

  brokeOff = (error: GatewayError): void => void this.calls.push(`brokeOff ${error.code}`)

  /** The body of the reply that came with its head. */
  get content(): string | null {
    const body = this.reply?.body
    return body instanceof Bytes ? body.toLatin1() : null
  }

  /** The body of the reply that is still coming. */
  pipe(): CollectingSink {
    const sink = new CollectingSink()
    assert.ok(this.reply !== null && isStream(this.reply.body))
    this.reply.body.pipe(sink)
    return sink
  }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

// Replies

test('a complete reply releases the connection for the next request', () => {
  const harness = new Harness().send()
  assert.equal(harness.socket.flush(), OUTGOING_HEAD)
  assert.equal(harness.connection.reused, false)
  harness.receive(OK)
  assert.equal(harness.reply?.status, 200)
  assert.equal(harness.content, 'ok')
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
  assert.equal(harness.connection.reused, true)
  harness.send().receive('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
  assert.equal(harness.reply?.status, 404)
  assert.equal(harness.content, '')
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
})

test('a reply can arrive byte by byte', () => {
  for (const [reply, content] of [
    [OK, 'ok'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nX-T: 1\r\n\r\n', 'ok'],
  ] as const) {
    const harness = new Harness().send()
    let sink: CollectingSink | null = null
    for (const byte of reply) {
      harness.receive(byte)
      if (harness.reply !== null) sink ??= harness.pipe()
    }
    assert.ok(sink !== null)
    assert.equal(sink.text, content)
    assert.ok(sink.ended)
    assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
  }
})

test('a chunked reply in one read becomes bytes', () => {
  const harness = new Harness().send()
  harness.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n')
  assert.equal(harness.content, 'ok')
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
  assert.equal(harness.socket.reading, true)
})

test('a chunked reply with trailers in one read is a stream, and the connection keeps reading', () => {
  const harness = new Harness().send()
  harness.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n')
  const first = harness.reply
  assert.equal(harness.socket.reading, true)
  harness.send().receive(OK)
  assert.equal(harness.content, 'ok')
  assert.ok(first !== null && isStream(first.body))
  const sink = new CollectingSink()
  first.body.pipe(sink)
  assert.equal(sink.text, 'ok')
  assert.equal(sink.trailers?.get('X-T'), '1')
})

test('cancelling a reply that has arrived does not affect the next one', () => {
  const harness = new Harness().send()
  harness.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n')
  const first = harness.reply
  harness.send()
  assert.ok(first !== null && isStream(first.body))
  first.body.cancel()
  harness.receive(OK)
  assert.equal(harness.content, 'ok')
})

test('a long reply is streamed, and releases the connection at its end', () => {
  const harness = new Harness().send()
  harness.receive('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab')
  assert.deepEqual(harness.calls, ['replied'])
  assert.equal(harness.socket.reading, false, 'nobody reads it yet')
  const sink = harness.pipe()
  assert.equal(harness.socket.reading, true)
  sink.taking = false
  harness.receive('cd')
  assert.equal(harness.socket.reading, false)
  if (harness.reply !== null && isStream(harness.reply.body)) harness.reply.body.resume()
  assert.equal(harness.socket.reading, true)
  harness.receive('ef')
  assert.equal(sink.text, 'abcdef')
  assert.ok(sink.ended)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
})

test('a close-delimited reply lasts until the end of the connection', () => {
  const harness = new Harness().send().receive('HTTP/1.1 200 OK\r\n\r\nab')
  const sink = harness.pipe()
  harness.receive('cd')
  assert.equal(sink.ended, false)
  harness.socket.emit('end')
  assert.equal(sink.text, 'abcd')
  assert.ok(sink.ended)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'closed'])
})

test('replies to HEAD, and 204 and 304, end with their head', () => {
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    for (const framing of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', '']) {
      const harness = new Harness().send({ method }).receive(`HTTP/1.1 ${status} x\r\n${framing}\r\n`)
      assert.equal(harness.reply?.body, null)
      assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
    }
  }
})

test('the service can close the connection after its reply', () => {
  for (const head of [
    'HTTP/1.1 200 OK\r\nConnection: close',
    'HTTP/1.0 200 OK',
    'HTTP/1.0 200 OK\r\nConnection: close, keep-alive',
  ]) {
    const harness = new Harness().send().receive(`${head}\r\nContent-Length: 2\r\n\r\nok`)
    assert.equal(harness.content, 'ok')
    assert.deepEqual(harness.calls, ['replied', 'finished', 'closed'])
    assert.ok(harness.socket.destroyed)
  }
})

test('a reply gets a Date, and its connection headers are removed', () => {
  const harness = new Harness().send()
  harness.receive('HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n')
  assert.equal(harness.reply?.headers.toWire(), 'X-A: 1\r\nDate: Mon, 15 Jan 2024 10:30:00 GMT\r\n')
})

test('interim replies are passed on before the final one', () => {
  const harness = new Harness().send()
  harness.receive(
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n\r\nHTTP/1.1 102 x\r\n\r\nHTTP/1.1 10',
  )
  harness.receive(`0 Continue\r\n\r\n`)
  harness.receive(OK)
  assert.equal(harness.content, 'ok')
  assert.deepEqual(harness.calls, ['informed 103 Link: </a>\r\n', 'informed 102 ', 'replied', 'finished', 'release'])
})

test('bytes after a reply close the connection', () => {
  for (const reply of [
    OK,
    'HTTP/1.1 204 x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ]) {
    const harness = new Harness().send().receive(`${reply}HTTP/1.1 200 OK\r\n`)
    assert.deepEqual(harness.calls, ['replied', 'finished', 'closed'])
  }
  const streamed = new Harness().send().receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
  const sink = streamed.pipe()
  streamed.receive('okHTTP/1.1 200 OK\r\n')
  assert.equal(sink.text, 'ok')
  assert.deepEqual(streamed.calls, ['replied', 'finished', 'closed'])
})

test('unsolicited bytes close the connection', () => {
  const harness = new Harness().send().receive(OK)
  harness.receive('HTTP/1.1 200 OK\r\n')
  assert.equal(harness.calls.at(-1), 'closed')
  assert.ok(harness.socket.destroyed)
  const fresh = new Harness()
  fresh.receive('HTTP/1.1 408 Request Timeout\r\n\r\n')
  assert.ok(fresh.socket.destroyed)
})

// Replies that are none

test('an invalid reply is bad-gateway, and closes the connection', async () => {
  for (const reply of [
    'HTTP/1.1 200 OK\n\n',
    '<html>',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(101)}`,
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(17_000)}`,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
  ]) {
    const harness = new Harness().send().receive(reply)
    assert.deepEqual(harness.calls, ['closed', 'finished', 'failed bad-gateway'])
    assert.ok(!(harness.error instanceof ClosedBeforeReply))
    await settle()
    assert.equal(harness.calls.length, 3)
  }
})

test('invalid chunked coding fails the body', () => {
  const harness = new Harness().send().receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n')
  const sink = harness.pipe()
  harness.receive('zz\r\n')
  assert.equal(sink.text, 'ab')
  assert.ok(sink.error !== null)
  assert.deepEqual(harness.calls, ['replied', 'closed', 'brokeOff bad-gateway', 'finished'])
})

test('a close before the reply is stale on a reused connection only', async () => {
  const fresh = new Harness().send()
  fresh.socket.emit('end')
  assert.ok(fresh.error instanceof ClosedBeforeReply && !fresh.error.stale)
  assert.equal(fresh.error.detail, 'The service closed the connection without a reply.')
  const used = new Harness().send().receive(OK).send()
  used.socket.destroy(new Error('ECONNRESET'))
  await settle()
  assert.ok(used.error instanceof ClosedBeforeReply && used.error.stale)
  assert.match(String(used.error.cause), /ECONNRESET/)
  assert.deepEqual(used.calls, ['closed', 'finished', 'failed bad-gateway'])
})

test('a close after the start of a reply is not stale', () => {
  for (const reply of ['HTTP/1.1 200 OK\r\nX', 'HTTP/1.1 103 x\r\n\r\n']) {
    const harness = new Harness().send().receive(OK).send().receive(reply)
    harness.socket.emit('end')
    assert.ok(harness.error instanceof ClosedBeforeReply && !harness.error.stale)
    assert.equal(harness.error.code, 'bad-gateway')
    assert.equal(harness.error.detail, 'The service closed the connection in the middle of its reply.')
  }
})

test('a close during a body fails the body', () => {
  for (const reply of [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
  ]) {
    const harness = new Harness().send().receive(reply)
    const sink = harness.pipe()
    harness.socket.emit('end')
    assert.equal(sink.error instanceof GatewayError && sink.error.code, 'bad-gateway')
    assert.equal(sink.ended, false)
    assert.deepEqual(harness.calls, ['replied', 'closed', 'brokeOff bad-gateway', 'finished'])
  }
})

test('a reset does not complete a close-delimited reply', async () => {
  const harness = new Harness().send().receive('HTTP/1.1 200 OK\r\n\r\nab')
  const sink = harness.pipe()
  harness.socket.destroy(new Error('ECONNRESET'))
  await settle()
  assert.equal(sink.ended, false)
  assert.equal(sink.error instanceof GatewayError && sink.error.code, 'bad-gateway')
  assert.equal(harness.calls.at(-2), 'brokeOff bad-gateway')
})

test('an event stream may end at any point', async () => {
  const harness = new Harness()
    .send()
    .receive('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n')
  harness.pipe()
  harness.socket.destroy(new Error('ECONNRESET'))
  await settle()
  assert.deepEqual(harness.calls, ['replied', 'closed', 'finished'])
})

test('an idle connection that the service closes is removed', () => {
  const harness = new Harness().send().receive(OK)
  harness.socket.emit('end')
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release', 'closed'])
})

test('cancelling the rest of a reply closes the connection', async () => {
  const harness = new Harness().send().receive('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab')
  assert.ok(harness.reply !== null && isStream(harness.reply.body))
  harness.reply.body.cancel()
  await settle()
  assert.ok(harness.socket.destroyed)
  assert.deepEqual(harness.calls, ['replied', 'closed', 'finished'])
})

test('destroying the connection fails the pending exchange', async () => {
  const harness = new Harness().send()
  harness.connection.destroy()
  await settle()
  assert.deepEqual(harness.calls, ['closed', 'finished', 'failed bad-gateway'])
})

// As a lane

test('cancelling an exchange closes the connection, which is not reused', async () => {
  const harness = new Harness().send()
  harness.connection.cancel()
  assert.ok(harness.socket.destroyed)
  await settle()
  assert.deepEqual(harness.calls, ['closed', 'finished', 'failed bad-gateway'])
})

test('giveBack releases an unused connection unchanged', () => {
  const harness = new Harness()
  harness.connection.giveBack()
  assert.deepEqual(harness.calls, ['release'])
  assert.equal(harness.connection.reused, false)
  assert.equal(harness.socket.flush(), '')
})

// Requests with a body

test('a body is streamed to the service at the pace of the socket', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  assert.equal(harness.socket.flush(), 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
  harness.socket.taking = false
  assert.equal(body.push('ab'), false)
  harness.socket.drain()
  assert.equal(body.resumed, 1)
  body.end()
  assert.equal(harness.socket.flush(), '2\r\nab\r\n0\r\n\r\n')
  harness.receive(OK)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
})

test('an early reply stops the request and closes the connection', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  body.push('ab')
  harness.receive(OK)
  assert.ok(body.cancelled)
  assert.equal(harness.content, 'ok')
  assert.deepEqual(harness.calls, ['replied', 'finished', 'closed'])
})

test('a long reply can start before the end of the request', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  harness.receive('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
  const sink = harness.pipe()
  body.push('x')
  body.end()
  harness.receive('cd')
  assert.ok(sink.ended)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
})

test('a failing body closes the connection with its error', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  body.sink!.fail(new GatewayError('client-closed'))
  assert.deepEqual(harness.calls, ['closed', 'finished', 'failed client-closed'])
  assert.ok(harness.socket.destroyed)
})

test('a close during the request cancels its body', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  harness.socket.emit('end')
  assert.ok(body.cancelled)
  assert.ok(harness.error instanceof ClosedBeforeReply)
})

const EXPECTING = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n'

test('a body waits for 100 Continue if that is expected', () => {
  const body = new PushedBody(2, 'ab')
  const harness = new Harness().send({ method: 'POST', body, expectsContinue: true })
  assert.equal(harness.socket.flush(), EXPECTING)
  harness.receive('HTTP/1.1 100 Continue\r\n\r\n')
  assert.equal(harness.socket.flush(), 'ab')
  body.end()
  harness.receive(OK)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
})

test('without 100 Continue the body is sent after a second', () => {
  const body = new PushedBody(2, 'ab')
  const harness = new Harness().send({ method: 'POST', body, expectsContinue: true })
  harness.clock.advance(900)
  assert.equal(harness.socket.flush(), EXPECTING)
  harness.clock.advance(400)
  assert.equal(harness.socket.flush(), 'ab')
  body.end()
  harness.clock.advance(options.responseTimeout - 400)
  assert.deepEqual(harness.calls, [])
  harness.clock.advance(600)
  assert.equal(harness.calls.at(-1), 'failed gateway-timeout')
})

test('it knows the network of the client of its exchange, which changes with the next one', () => {
  const harness = new Harness()
  assert.equal(harness.connection.network, null)
  for (const [client, network] of [
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['192.0.2.1', '192.0.2.1'],
  ] as const) {
    harness.send({ client })
    assert.deepEqual([harness.connection.network, harness.connection.network], [network, network])
    harness.receive('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    assert.equal(harness.connection.network, null)
  }
})

test('a final reply instead of 100 Continue cancels the body', () => {
  const body = new PushedBody(2, 'ab')
  const harness = new Harness().send({ method: 'POST', body, expectsContinue: true })
  harness.receive('HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n')
  assert.ok(body.cancelled)
  assert.equal(body.sink, null)
  assert.equal(harness.reply?.status, 413)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'closed'])
})

test('a reply that begins instead of 100 Continue and then stops breaks off, and the body is not asked for', () => {
  const body = new PushedBody(2, 'ab')
  const harness = new Harness().send({ method: 'POST', body, expectsContinue: true })
  harness.receive('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
  harness.clock.advance(options.idleTimeout + 300)
  assert.ok(body.sink === null)
  assert.deepEqual(harness.calls, ['replied', 'closed', 'brokeOff gateway-timeout', 'finished'])
})

test('while the client waits for 100 Continue, no timeout runs', () => {
  const sent = new Harness().send({ method: 'POST', body: new PushedBody(3), expectsContinue: true })
  assert.equal(sent.connection.waitingForClient, sent.deadlines.now)
  sent.receive('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
  assert.equal(sent.connection.waitingForClient, Number.POSITIVE_INFINITY)
})

test('bytes do not wait for 100 Continue', () => {
  const harness = new Harness().send({ method: 'POST', body: Bytes.fromLatin1('ab'), expectsContinue: true })
  assert.equal(harness.socket.flush(), `${EXPECTING}ab`)
})

// Times

test('without a reply in time the exchange fails', () => {
  const harness = new Harness().send()
  harness.clock.advance(options.responseTimeout - 1)
  harness.receive('HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200')
  assert.equal(harness.error, null)
  harness.clock.advance(300)
  assert.deepEqual(harness.calls.slice(1), ['closed', 'finished', 'failed gateway-timeout'])
})

test('the response timeout starts at the end of the request, however slowly its body arrives', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  for (let i = 0; i < 5; i++) {
    harness.clock.advance(options.responseTimeout * 3)
    body.push('a')
  }
  harness.clock.advance(options.responseTimeout * 3)
  body.end()
  harness.clock.advance(options.responseTimeout - 1)
  assert.deepEqual(harness.calls, [])
  harness.clock.advance(300)
  assert.equal(harness.calls.at(-1), 'failed gateway-timeout')
})

test('if the service does not read the body in time the exchange fails', () => {
  const body = new PushedBody(-1)
  const harness = new Harness().send({ method: 'POST', body })
  harness.socket.taking = false
  assert.equal(body.push('a'), false)
  harness.clock.advance(options.responseTimeout - 1)
  harness.socket.drain()
  harness.clock.advance(options.responseTimeout * 3)
  harness.socket.taking = false
  body.push('a')
  harness.clock.advance(options.responseTimeout - 1)
  assert.deepEqual(harness.calls, [])
  harness.clock.advance(300)
  assert.equal(harness.calls.at(-1), 'failed gateway-timeout')
})

test('the response timeout does not wait for a body that was written at once', () => {
  const harness = new Harness()
  harness.socket.taking = false
  harness.send({ method: 'POST', body: Bytes.fromLatin1('b'.repeat(20_000)) })
  harness.clock.advance(options.responseTimeout - 1)
  harness.socket.drain()
  harness.clock.advance(options.responseTimeout - 1)
  assert.deepEqual(harness.calls, [])
  harness.clock.advance(300)
  assert.equal(harness.calls.at(-1), 'failed gateway-timeout')
})

test('a stalled body fails after the idle timeout', () => {
  const harness = new Harness().send().receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n')
  const sink = harness.pipe()
  for (let i = 0; i < 5; i++) {
    harness.clock.advance(options.idleTimeout - 1)
    harness.receive('a')
  }
  assert.equal(sink.text, 'aaaaa')
  harness.clock.advance(options.idleTimeout + 300)
  assert.equal(sink.error instanceof GatewayError && sink.error.code, 'gateway-timeout')
  assert.deepEqual(harness.calls, ['replied', 'closed', 'brokeOff gateway-timeout', 'finished'])
})

test('a paused body does not time out', () => {
  const harness = new Harness().send().receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n')
  const sink = harness.pipe()
  sink.taking = false
  harness.receive('a')
  harness.clock.advance(options.idleTimeout * 10)
  assert.equal(sink.error, null)
  if (harness.reply !== null && isStream(harness.reply.body)) harness.reply.body.resume()
  harness.clock.advance(options.idleTimeout - 1)
  assert.equal(sink.error, null)
  harness.clock.advance(300)
  assert.ok(sink.error !== null)
})

test('a connection is not reused after its lifetime', () => {
  const harness = new Harness().send().receive(OK)
  for (let i = 0; i < 10; i++) {
    harness.clock.advance(29_000)
    harness.send().receive(OK)
    assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
  }
  harness.send()
  harness.clock.advance(10_000)
  harness.receive(OK)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'closed'])
})

test('an idle connection is closed at the end of its lifetime', () => {
  const harness = new Harness().send().receive(OK)
  for (let i = 0; i < 10; i++) {
    harness.clock.advance(28_000)
    harness.send().receive(OK)
  }
  harness.clock.advance(19_000)
  assert.equal(harness.calls.at(-1), 'release')
  harness.clock.advance(1_300)
  assert.equal(harness.calls.at(-1), 'closed')
})

test('an idle connection is closed a second before Keep-Alive of the service allows it to', () => {
  for (const [fields, lifetime] of [
    ['', options.poolTimeout],
    ['Keep-Alive: timeout=5\r\n', 4000],
    ['Keep-Alive: timeout=500\r\n', options.poolTimeout],
  ] as const) {
    const harness = new Harness().send().receive(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`)
    harness.clock.advance(lifetime - 1)
    assert.equal(harness.calls.at(-1), 'release')
    harness.clock.advance(300)
    assert.equal(harness.calls.at(-1), 'closed')
    assert.ok(harness.socket.destroyed)
  }
})

test('a closed connection has no deadline', async () => {
  const harness = new Harness().send()
  harness.connection.destroy()
  await settle()
  assert.equal(harness.deadlines.size, 0)
})

// Upgrades

/** The example of RFC 6455 section 1.3. */
const upgrade = { upgrade: { protocol: 'websocket', key: 'dGhlIHNhbXBsZSBub25jZQ==' } }
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: 1\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

test('a requested upgrade joins the two connections', async () => {
  const harness = new Harness().send(upgrade)
  harness.receive(`${SWITCHING}early`)
  assert.equal(harness.reply?.status, 101)
  assert.equal(harness.reply.headers.get('X-A'), '1')
  assert.equal(harness.reply.upgrade?.protocol, 'websocket')
  assert.equal(harness.socket.reading, false)
  harness.clock.advance(3_600_000)
  const client = new RecordingSocket()
  const tunnel = harness.reply.upgrade.open(client)
  assert.equal(harness.socket.reading, true)
  harness.receive('more')
  assert.equal(client.flush(), 'earlymore')
  tunnel.fromClient(Buffer.from('to service'))
  assert.equal(
    harness.socket.flush(),
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nto service',
  )
  assert.equal(tunnel.bytes, 9)
  harness.socket.emit('end')
  assert.ok(client.hasEnded)
  tunnel.close()
  await settle()
  assert.deepEqual(harness.calls, ['replied', 'closed', 'finished'])
})

test('a service that does not read pauses the client of a tunnel', () => {
  const harness = new Harness().send(upgrade).receive(SWITCHING)
  const client = new RecordingSocket()
  const tunnel = harness.reply!.upgrade!.open(client)
  harness.socket.taking = false
  tunnel.fromClient(Buffer.from('x'))
  assert.equal(client.reading, false)
  harness.socket.drain()
  assert.equal(client.reading, true)
})

test('a long-lived reply above the limit is too-busy, and closes the connection', () => {
  for (const [parts, text] of [
    [upgrade, SWITCHING],
    [{}, 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ] as const) {
    const harness = new Harness()
    harness.mayLast = false
    harness.send(parts).receive(text)
    assert.equal(harness.error?.code, 'too-busy')
    assert.deepEqual(harness.error.headers, [['Retry-After', '5']])
    assert.ok(harness.socket.destroyed)
    assert.deepEqual(harness.calls, ['closed', 'finished', 'failed too-busy'])
  }
})

test('an upgrade after the client has disconnected closes the connection', async () => {
  const harness = new Harness().send(upgrade).receive(SWITCHING)
  harness.reply!.upgrade!.refuse()
  await settle()
  assert.ok(harness.socket.destroyed)
  assert.deepEqual(harness.calls, ['replied', 'closed', 'finished'])
})

test('a service can answer an upgrade request with an ordinary reply', () => {
  const harness = new Harness().send(upgrade).receive(OK)
  assert.equal(harness.content, 'ok')
  assert.equal(harness.reply?.upgrade, null)
  assert.deepEqual(harness.calls, ['replied', 'finished', 'release'])
})
