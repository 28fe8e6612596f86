import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { outgoing } from '../../test/support/outgoing.ts'
import { readInto, RecordingSocket } from '../../test/support/recording-socket.ts'
import { ServerHarness } from '../../test/support/server-harness.ts'
import { turnUntil } from '../../test/support/settled.ts'
import { Budget } from './body.ts'
import type { Reply } from './reply.ts'
import { ClientConnection } from '../http1/client-connection.ts'
import { defaultHeadLimits } from './limits.ts'
import { MessageWriter, type WriterOwner } from '../http1/message-writer.ts'
import { ReadAhead } from './read-ahead.ts'
import { ResponseHead } from '../http1/response-head.ts'

class Owner implements WriterOwner {
  readonly socket = new RecordingSocket()
  readonly calls: string[] = []
  messageWritten = (): void => void this.calls.push('written')
  messageFailed = (error: Error): void => void this.calls.push(`failed: ${error.message}`)
  writeBlocked = (blocked: boolean): void => void this.calls.push(blocked ? 'blocked' : 'free')
  full = (): void => {}
}

/** A body whose chunks can be left to the sink. */
class SparedBody extends PushedBody {
  private spared = false

  leave(): boolean {
    this.spared = true
    return true
  }

  override push(text: string): boolean {
    this.spared = false
    const chunk = Buffer.allocUnsafeSlow(text.length)
    chunk.write(text, 'latin1')
    const more = this.sink!.write(chunk)
    if (more && !this.spared) chunk.fill('!')
    return more
  }
}

function open(room: number) {
  const owner = new Owner()
  const budget = new Budget(room)
  const writer = new MessageWriter(owner, new ReadAhead('a client', budget))
  return { owner, socket: owner.socket, writer, budget }
}

const LONG = 20_000
const COST = LONG + 256
const long = (letter: string): string => letter.repeat(LONG)

test('nothing is buffered while the peer keeps up', () => {
  const { owner, socket, writer } = open(0)
  const body = new PushedBody(-1)
  writer.send('', body, false)
  for (const piece of ['a', long('b'), 'c']) {
    assert.equal(body.push(piece), true)
    assert.ok(socket.flush().endsWith(piece))
  }
  assert.deepEqual(owner.calls, ['free', 'free', 'free'])
})

for (const first of ['a', long('a')])
  test(`a stalled peer does not block the source (first ${first.length} bytes)`, async () => {
    const { owner, socket, writer, budget } = open(10 * LONG)
    const body = new SparedBody(-1)
    writer.send('', body, false)
    socket.taking = false
    for (const piece of [first, 'b', long('c'), 'd']) assert.equal(body.push(piece), true)
    body.end()
    assert.deepEqual(owner.calls, ['blocked', 'written'])
    assert.ok(budget.free < 9 * LONG)
    socket.drain()
    await new Promise(setImmediate)
    assert.equal(socket.written, `${first}b${long('c')}d`)
    assert.equal(owner.calls.at(-1), 'free')
    assert.equal(budget.free, 10 * LONG)
  })

test('without budget the source waits until the peer has taken everything', async () => {
  const { socket, writer, budget } = open(4 * COST)
  const body = new SparedBody(-1)
  writer.send('', body, false)
  socket.taking = false
  assert.equal(body.push(long('a')), true)
  assert.equal(body.push(long('b')), true)
  assert.equal(body.push(long('c')), false)
  assert.equal(body.resumed, 0)
  socket.drain()
  await new Promise(setImmediate)
  assert.equal(body.resumed, 1)
  assert.equal(socket.written, long('a') + long('b') + long('c'))
  assert.equal(budget.free, 4 * COST)
})

test('one reply buffers at most a megabyte, whatever the budget', () => {
  const { socket, writer } = open(Number.MAX_SAFE_INTEGER)
  const body = new SparedBody(-1)
  writer.send('', body, false)
  socket.taking = false
  let stored = 0
  while (body.push(long('a'))) stored += LONG
  assert.equal(stored, Math.floor(1_048_576 / COST) * LONG)
})

test('small chunks count with their overhead', () => {
  const { socket, writer } = open(Number.MAX_SAFE_INTEGER)
  const body = new SparedBody(-1)
  writer.send('', body, false)
  socket.taking = false
  let stored = 0
  while (body.push('a')) stored++
  assert.equal(stored, 4_080)
})

test('a closed connection returns its budget', () => {
  const { socket, writer, budget } = open(2 * COST)
  const body = new SparedBody(-1)
  writer.send('', body, false)
  socket.taking = false
  body.push(long('a'))
  writer.stop()
  assert.equal(budget.free, 2 * COST)
})

test('the connection to the service is released before the client has read the reply, which arrives completely', async () => {
  const service = new RecordingSocket()
  const calls: string[] = []
  const options = {
    ...defaultHeadLimits,
    responseTimeout: 30_000,
    idleTimeout: 30_000,
    poolTimeout: 30_000,
    lifetime: () => 300_000,
    encryption: null,
  }
  const owner = {
    options,
    head: new ResponseHead(options),
    release: () => void calls.push('release'),
    detach: () => true,
    closed: () => void calls.push('closed'),
  }
  const harness = new ServerHarness(
    () =>
      new Promise<Reply>((resolve, reject) =>
        connection.exchange(outgoing, {
          interimReply: () => {},
          replied: resolve,
          failed: reject,
          finished: () => {},
          brokeOff: () => {},
        }),
      ),
  )
  const connection = new ClientConnection(service, owner, harness.deadlines)
  readInto(service, connection)
  const { socket: client } = harness.open()
  client.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  service.receive(`HTTP/1.1 200 OK\r\nContent-Length: ${10 * LONG}\r\n\r\n`)
  await turnUntil('the head to be written', () => client.written !== '')
  client.flush()
  client.taking = false
  for (let i = 0; i < 10; i++) service.receive(long(String(i)))
  assert.deepEqual(calls, ['release'])
  client.drain()
  assert.equal(client.flush(), Array.from({ length: 10 }, (_, i) => long(String(i))).join(''))
  assert.equal(client.destroyed, false)
})
