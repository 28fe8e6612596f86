import assert from 'node:assert/strict'
import test from 'node:test'
import { RecordingSocket } from '../../test/support/recording-socket.ts'
import { TurnWriter } from './turn-writer.ts'

/** A writer, and what becomes of each write. */
function open() {
  const socket = new RecordingSocket()
  const writes: string[] = []
  const write = socket.write.bind(socket)
  socket.write = (data, ...rest: [encoding?: BufferEncoding]) => {
    writes.push(String(data))
    return write(data, ...rest)
  }
  let calls = 0
  const writer = new TurnWriter(socket, { full: () => calls++ })
  return { socket, writes, writer, calls: () => calls }
}

test('output of one turn is written at its end, with one write for each peer', async () => {
  const [one, other] = [open(), open()]
  one.writer.put('a')
  other.writer.put('x')
  one.writer.put('b')
  assert.deepEqual([one.writes, other.writes, one.writer.length], [[], [], 2])
  await new Promise(setImmediate)
  assert.deepEqual([one.writes, other.writes, one.writer.length], [['ab'], ['x'], 0])
})

test('flush writes at once, and later output goes after it', () => {
  const { writer, writes } = open()
  writer.put('a')
  writer.flush()
  assert.deepEqual(writes, ['a'])
  writer.put('b')
  TurnWriter.endTurn()
  TurnWriter.endTurn()
  assert.deepEqual(writes, ['a', 'b'])
})

test('large output is written before the turn ends, and the writer is told when the peer takes no more', () => {
  const { writer, writes, socket, calls } = open()
  socket.taking = false
  for (let i = 0; i < 10; i++) writer.put('x'.repeat(10_000))
  assert.deepEqual([writes.length, writer.length, calls()], [1, 30_000, 1])
})

test('nothing is written to a closed socket', () => {
  const { writer, writes, socket } = open()
  writer.put('a')
  socket.destroy()
  TurnWriter.endTurn()
  assert.deepEqual(writes, [])
})
