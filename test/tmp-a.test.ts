import test from 'node:test'
import assert from 'node:assert/strict'
import { ServerHarness } from './support/server-harness.ts'
import { RecordingSocket } from './support/recording-socket.ts'
import { CollectingSink, PushedBody } from './support/bodies.ts'
import { Reply } from '../src/core/reply.ts'
import { Headers } from '../src/core/headers.ts'
import { Bytes, collect, type BodyStream } from '../src/core/body.ts'
import { GatewayError } from '../src/core/errors.ts'
import { ClientConnection } from '../src/http1/client-connection.ts'
import { ResponseHead } from '../src/http1/response-head.ts'
import { Deadlines } from '../src/http1/deadlines.ts'
import { ManualClock } from './support/manual-clock.ts'
const ok = () => new Reply(200, Headers.of(), Bytes.fromLatin1('ok'))
test('sync throw keeps connection', () => {
  const h = new ServerHarness(() => { throw new GatewayError('not-found') })
  const { socket } = h.open()
  socket.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(socket.flush(), /^HTTP\/1.1 404/)
  assert.equal(socket.hasEnded, false)
})
test('sync throw with stream body answers', () => {
  const h = new ServerHarness(() => { throw new GatewayError('not-found') })
  const { socket } = h.open()
  socket.receive('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
  assert.match(socket.flush(), /^HTTP\/1.1 404/)
})
test('paused forever', () => {
  const h = new ServerHarness((e) => { (e.body as BodyStream).pipe(new CollectingSink()); return ok() })
  const { socket } = h.open()
  socket.receive('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: 1\r\n\r\n')
  assert.equal(socket.reading, true)
})
test('CONNECT', () => {
  const h = new ServerHarness(ok)
  const { socket } = h.open()
  socket.receive('CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.match(socket.flush(), /^HTTP\/1.1 501/)
})
test('pipelining flood', () => {
  const h = new ServerHarness(ok)
  const { socket } = h.open()
  socket.taking = false
  socket.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100))
  assert.ok(h.exchanges.length < 3, String(h.exchanges.length))
})
test('client: chunked whole', () => {
  const log: string[] = []
  const socket = new RecordingSocket()
  const dl = new Deadlines(new ManualClock())
  const o = { head: 16384, target: 8192, headers: 100, responseTimeout: 30000, idleTimeout: 60000, poolTimeout: 30000 }
  const c = new ClientConnection(socket, { release: () => log.push('release'), closed: () => log.push('closed') }, o, dl, new ResponseHead(o))
  c.exchange('GET', 'GET / HTTP/1.1\r\n\r\n', null, false, { replied: (r) => log.push('replied ' + r.status), failed: (e) => log.push('failed '+ e), finished: () => log.push('finished') })
  socket.receive('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n')
  assert.deepEqual(log, ['replied 200', 'finished', 'release'])
})
test('204 with length', () => {
  const h = new ServerHarness(() => new Reply(204, Headers.of(), Bytes.fromLatin1('')))
  const { socket } = h.open()
  socket.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.doesNotMatch(socket.flush(), /Content-Length/)
})
