import assert from 'node:assert/strict'
import test from 'node:test'
import { Budget, type BodySink, type BodyStream } from '../http/body.ts'
import { ReadAhead } from '../http/read-ahead.ts'
import { takeBuffer } from '../http/read-buffers.ts'
import { type ContentOwner, ContentWriter } from './content-writer.ts'

/** A stream whose peer takes `room` more bytes; writes that are not small stay in use until `release`. */
class Owner implements ContentOwner {
  room: number
  lending = false
  private readonly used: (() => void)[] = []

  constructor(room: number) {
    this.room = room
  }

  get canWrite(): boolean {
    return this.room > 0
  }

  writeContent(content: Buffer, _last: boolean, released: () => void): number {
    const written = Math.min(content.length, this.room)
    this.room -= written
    this.lending = written > 15_000
    if (this.lending) this.used.push(released)
    return written
  }

  /** The first `writes` are no longer in use. */
  release(writes = this.used.length): void {
    for (const released of this.used.splice(0, writes)) released()
  }

  writeHead(): void {}
  writeEnd(): void {}
  contentWaits(): void {}
  contentCaughtUp(): void {}
  contentWritten(): void {}
  contentFailed(): void {}
}

/** Hands over each of its chunks. */
class Source implements BodyStream {
  readonly length = -1
  resumed = 0
  handedOver = 0
  /** The read buffer of the next chunk. */
  handed: Buffer | null = null
  private sink: BodySink | null = null

  pipe(sink: BodySink): void {
    this.sink = sink
  }

  push(length: number): boolean {
    return this.sink!.write(Buffer.allocUnsafeSlow(length))
  }

  resume(): void {
    this.resumed++
  }

  leave(): boolean | Buffer {
    this.handedOver++
    return this.handed ?? true
  }

  cancel(): void {}
}

for (const length of [5_000, 40_000])
  test(`at most a megabyte waits for a peer that takes no more while its last data is in use (chunks of ${length} bytes)`, () => {
    const owner = new Owner(50_000)
    const budget = new Budget(Number.MAX_SAFE_INTEGER)
    const writer = new ContentWriter(owner, 'head', -1, new ReadAhead('a client', budget))
    const source = new Source()
    writer.sendStream(source)
    let pushed = length
    while (source.push(length) && pushed < 5_000_000) pushed += length
    assert.ok(pushed > 900_000 && pushed < 1_150_000, String(pushed))
    owner.room = Number.MAX_SAFE_INTEGER
    writer.advance()
    owner.release()
    assert.equal(source.resumed, 1)
    assert.equal(budget.free, Number.MAX_SAFE_INTEGER)
  })

test('a read buffer returns to the pool once it is written, while later ones are still in use', () => {
  const owner = new Owner(20_000)
  const writer = new ContentWriter(owner, 'head', -1, new ReadAhead('a client'))
  const source = new Source()
  writer.sendStream(source)
  const handed = [0, 1].map(() => {
    source.handed = takeBuffer()
    assert.ok(source.push(30_000))
    return source.handed
  })
  const isFree = (buffer: Buffer | undefined): boolean => takeBuffer() === buffer
  owner.release()
  assert.ok(!isFree(handed[0]), 'its rest is still to be written')
  owner.room = 30_000
  writer.advance()
  assert.ok(!isFree(handed[0]), 'its rest is still in use')
  owner.release(1)
  assert.ok(isFree(handed[0]))
  owner.release()
  assert.ok(!isFree(handed[1]), 'its rest is still to be written')
  owner.room = 30_000
  writer.advance()
  owner.release()
  assert.ok(isFree(handed[1]))
})

test('the read buffer of a chunk that is not in use stays with its source, while earlier chunks are', () => {
  const writer = new ContentWriter(new Owner(Number.MAX_SAFE_INTEGER), 'head', -1, new ReadAhead('a client'))
  const source = new Source()
  writer.sendStream(source)
  assert.ok(source.push(20_000))
  for (let i = 0; i < 100; i++) assert.ok(source.push(200))
  assert.equal(source.handedOver, 1)
})
