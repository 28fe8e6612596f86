import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { RecordingSocket } from '../../test/support/recording-socket.ts'
import { Budget, Bytes, HEAD_ROOM } from '../http/body.ts'
import { Headers } from '../http/headers.ts'
import { ReadAhead } from '../http/read-ahead.ts'
import { takeBuffer } from '../http/read-buffers.ts'
import { MessageWriter, type WriterOwner } from './message-writer.ts'

class Owner implements WriterOwner {
  readonly socket = new RecordingSocket()
  readonly calls: string[] = []
  messageWritten = (): void => void this.calls.push('written')
  messageFailed = (error: Error): void => void this.calls.push(`failed: ${error.message}`)
  writeBlocked = (blocked: boolean): void => void this.calls.push(blocked ? 'blocked' : 'free')
  full = (): void => {}
}

function open() {
  const owner = new Owner()
  return { owner, socket: owner.socket, writer: new MessageWriter(owner) }
}

test('a message without a body is its head', () => {
  const { owner, socket, writer } = open()
  writer.send('head\r\n\r\n', null, false)
  assert.equal(socket.written, 'head\r\n\r\n')
  assert.equal(writer.bytes, 0)
  assert.deepEqual(owner.calls, ['written'])
})

test('bytes follow the head, whatever their number', () => {
  for (const length of [0, 3, 20_000]) {
    const { owner, socket, writer } = open()
    const content = Buffer.alloc(length, '\xe9\0\xff', 'latin1')
    writer.send('head\r\n\r\n', Bytes.fromBuffer(content), false)
    assert.equal(socket.written, `head\r\n\r\n${content.toString('latin1')}`)
    assert.equal(writer.bytes, length)
    assert.deepEqual(owner.calls, ['written'])
  }
})

test('a kept body is written after each head, even while one reader has not taken it yet', () => {
  const content = 'x'.repeat(20_000)
  const whole = Buffer.alloc(HEAD_ROOM + content.length, 'x')
  const body = Bytes.withRoom(whole)
  const [slow, quick] = [open(), open()]
  slow.socket.taking = false
  slow.writer.send('slow\r\n\r\n', body, false)
  const long = `${'h'.repeat(HEAD_ROOM)}\r\n\r\n`
  for (const head of ['a longer head\r\n\r\n', 'short\r\n\r\n', long]) {
    quick.writer.send(head, body, false)
    assert.equal(quick.socket.flush(), head + content)
    assert.equal(quick.writer.bytes, content.length)
  }
  slow.socket.drain()
  assert.equal(slow.socket.written, `slow\r\n\r\n${content}`)
})

test('the head of a stream is written before any data', () => {
  const { owner, socket, writer } = open()
  writer.send('head\r\n\r\n', new PushedBody(5), false)
  assert.equal(socket.written, 'head\r\n\r\n')
  assert.deepEqual(owner.calls, [])
  assert.ok(writer.busy)
})

test('a stream of known length is written unframed', () => {
  const { owner, socket, writer } = open()
  const body = new PushedBody(5, 'ab')
  writer.send('head\r\n\r\n', body, false)
  body.push('cde')
  body.end()
  assert.equal(socket.written, 'head\r\n\r\nabcde')
  assert.equal(writer.bytes, 5)
  assert.equal(writer.busy, false)
  assert.deepEqual(owner.calls, ['free', 'free', 'written'])
})

test('a stream of unknown length is chunked, with trailers', () => {
  const { socket, writer } = open()
  const body = new PushedBody(-1, 'a')
  writer.send('head\r\n\r\n', body, true)
  body.push('x'.repeat(16))
  body.end(Headers.of([['X-Sum', '1']]))
  assert.equal(socket.written, `head\r\n\r\n1\r\na\r\n10\r\n${'x'.repeat(16)}\r\n0\r\nX-Sum: 1\r\n\r\n`)
  assert.equal(writer.bytes, 17)
})

test('a chunked stream without trailers ends with the last chunk', () => {
  const { socket, writer } = open()
  const body = new PushedBody(-1)
  writer.send('head\r\n\r\n', body, true)
  body.end()
  assert.equal(socket.written, 'head\r\n\r\n0\r\n\r\n')
})

test('a close-delimited stream has no framing and no trailers', () => {
  const { socket, writer } = open()
  const body = new PushedBody(-1, 'ab')
  writer.send('head\r\n\r\n', body, false)
  body.end(Headers.of([['X-Sum', '1']]))
  assert.equal(socket.written, 'head\r\n\r\nab')
})

test('an empty part of a stream does not end it', () => {
  const { socket, writer } = open()
  const body = new PushedBody(-1, '')
  writer.send('head\r\n\r\n', body, true)
  assert.equal(body.push(''), true)
  body.push('a')
  body.push('')
  body.end()
  assert.equal(socket.written, 'head\r\n\r\n1\r\na\r\n0\r\n\r\n')
})

test('a stream longer than announced is stopped before the surplus is written', () => {
  const { owner, socket, writer } = open()
  const body = new PushedBody(3, 'ab')
  writer.send('head\r\n\r\n', body, false)
  assert.equal(body.push('cd'), false)
  assert.equal(socket.written, 'head\r\n\r\nab')
  assert.ok(body.cancelled)
  assert.deepEqual(owner.calls, ['free', 'failed: the body is longer than announced'])
  assert.equal(body.push('e'), false)
  body.end()
  assert.equal(owner.calls.length, 2)
})

test('a stream shorter than announced fails', () => {
  const { owner, writer } = open()
  const body = new PushedBody(3, 'ab')
  writer.send('head\r\n\r\n', body, false)
  body.end()
  assert.deepEqual(owner.calls, ['free', 'failed: the body is shorter than announced'])
})

test('a failing stream is reported once', () => {
  const { owner, writer } = open()
  const body = new PushedBody(-1, 'ab')
  writer.send('head\r\n\r\n', body, true)
  body.sink!.fail(new Error('gone'))
  body.sink!.fail(new Error('again'))
  body.end()
  assert.deepEqual(owner.calls, ['free', 'failed: gone'])
})

test('a peer that does not read pauses the stream until it has read everything', () => {
  const { owner, socket, writer } = open()
  const body = new PushedBody(-1)
  writer.send('head\r\n\r\n', body, true)
  socket.taking = false
  assert.equal(body.push('a'), false)
  assert.deepEqual(owner.calls, ['blocked'])
  assert.equal(body.resumed, 0)
  writer.drained()
  assert.equal(body.resumed, 1)
  assert.deepEqual(owner.calls, ['blocked', 'free'])
})

test('every progress of a stream is reported', () => {
  const { owner, writer } = open()
  const body = new PushedBody(-1)
  writer.send('head\r\n\r\n', body, true)
  body.push('a')
  body.push('b')
  assert.deepEqual(owner.calls, ['free', 'free'])
})

test('stop cancels the stream, and nothing more of it is written', () => {
  const { owner, socket, writer } = open()
  const body = new PushedBody(-1)
  writer.send('head\r\n\r\n', body, true)
  writer.stop()
  writer.stop()
  body.push('a')
  body.end()
  assert.ok(body.cancelled)
  assert.equal(socket.written, 'head\r\n\r\n')
  assert.deepEqual(owner.calls, [])
})

test('a head can be written alone, and its body later', () => {
  const { owner, socket, writer } = open()
  writer.sendHead('head\r\n\r\n')
  assert.equal(socket.flush(), 'head\r\n\r\n')
  const body = new PushedBody(-1, 'a')
  writer.sendBody(body, true)
  body.end()
  assert.equal(socket.written, '1\r\na\r\n0\r\n\r\n')
  assert.deepEqual(owner.calls, ['free', 'written'])
})

test('the next message can be sent from within the end of the previous one', () => {
  const { owner, socket, writer } = open()
  const [first, second] = [new PushedBody(-1, 'a'), new PushedBody(2)]
  owner.messageWritten = () => {
    owner.messageWritten = () => void owner.calls.push('written')
    writer.send('second\r\n\r\n', second, false)
  }
  writer.send('first\r\n\r\n', first, true)
  first.end()
  second.push('bc')
  second.end()
  assert.equal(socket.written, 'first\r\n\r\n1\r\na\r\n0\r\n\r\nsecond\r\n\r\nbc')
})

test('read buffers return to the pool when the peer has taken everything, even if the source goes on at once', () => {
  const owner = new Owner()
  const { socket } = owner
  const writer = new MessageWriter(owner, new ReadAhead('a client', new Budget(Number.MAX_SAFE_INTEGER)))
  socket.on('drain', () => writer.drained())
  const given = new Set<Buffer>()
  class Source extends PushedBody {
    handed: Buffer | null = null
    leave(): Buffer | false {
      const { handed } = this
      this.handed = null
      if (handed !== null) given.add(handed)
      return handed ?? false
    }
    pushBuffer(): boolean {
      this.handed = takeBuffer()
      return this.sink!.write(this.handed)
    }
    override resume(): void {
      socket.takes = [false]
      this.sink!.write(Buffer.alloc(20_000))
    }
  }
  const body = new Source(-1)
  writer.send('', body, false)
  socket.taking = false
  while (body.pushBuffer());
  socket.drain()
  assert.ok(socket.writableLength > 0)
  assert.ok(given.has(takeBuffer()))
})
