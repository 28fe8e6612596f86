import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink } from '../../test/support/bodies.ts'
import { RecordedService } from '../../test/support/http2-client-harness.ts'
import * as h2 from '../../test/support/http2-frames.ts'
import { RecordingSocket } from '../../test/support/recording-socket.ts'
import { replyHead } from '../../test/support/http2-service.ts'
import { Budget, isStream } from '../http/body.ts'
import { WINDOW } from './frames.ts'
import { Output } from './output.ts'
import { StreamRoom } from './stream-room.ts'

/** Has so many bytes come and be taken, in pieces of a frame; returns whether there was room for all. */
function move(room: StreamRoom, bytes: number): boolean {
  for (let left = bytes; left > 0; left -= 16_384) {
    const piece = Math.min(left, 16_384)
    if (!room.receives(piece)) return false
    room.consumed(piece, true)
  }
  return true
}

/** Bytes that may come before anything is taken. */
function free(room: StreamRoom): number {
  let bytes = 0
  while (room.receives(1024)) bytes += 1024
  return bytes
}

test('a window grows with fast reading, as far as the budget allows', () => {
  const output = new Output(new RecordingSocket())
  const budget = new Budget(6 * WINDOW)
  const [first, second] = [new StreamRoom(1, output, 'a client', budget), new StreamRoom(3, output, 'another', budget)]
  assert.ok(move(first, 2_000_000))
  assert.ok(move(second, 2_000_000))
  assert.equal(budget.free, 2 * WINDOW)
  for (const [room, most] of [
    [first, 4 * WINDOW],
    [second, 2 * WINDOW],
  ] as const) {
    const bytes = free(room)
    assert.ok(bytes > most / 2 && bytes <= most, `${bytes} of ${most}`)
  }
  first.release()
  second.release()
  assert.equal(budget.free, 6 * WINDOW, 'all of it is returned')
})

test('fast readers that stall together hold only part of the budget', async () => {
  const service = RecordedService.greeted({ 3: 128 })
  const sinks: CollectingSink[] = []
  const streams: number[] = []
  for (let n = 0; n < 120; n++) {
    const result = service.send()
    streams.push(result.lane.id)
    service.receive(replyHead(result.lane.id, 200))
    const body = result.reply?.body ?? null
    assert.ok(isStream(body))
    const sink = new CollectingSink()
    body.pipe(sink)
    sinks.push(sink)
  }
  const piece = Buffer.alloc(16_384)
  for (let round = 0; round < 80; round++) for (const id of streams) service.receive(h2.data(id, piece))
  await service.turn()
  for (const sink of sinks) {
    sink.taking = false
    sink.text = ''
  }
  const granted = streams.reduce((sum, id) => sum + service.granted(id), 0)
  const sent = 80 * 16_384 * streams.length
  // What may come yet of all of them.
  assert.ok(WINDOW * streams.length + granted - sent <= WINDOW * streams.length + 48 * 1024 ** 2)
  for (const id of streams) service.receive(h2.reset(id, 8))
  assert.equal(service.connection.busy, 0)
})
