import assert from 'node:assert/strict'
import test from 'node:test'
import { Budget, type BodySink, type BodyStream } from '../http/body.ts'
import { ReadAhead } from '../http/read-ahead.ts'
import { type ContentOwner, ContentWriter } from './content-writer.ts'

/** A stream whose peer takes `room` more bytes; what was written stays in use until `release`. */
class Owner implements ContentOwner {
  room: number
  readonly lending = true
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
    if (written > 0) this.used.push(released)
    return written
  }

  release(): void {
    for (const released of this.used.splice(0)) released()
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

  leave(): boolean {
    return true
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
