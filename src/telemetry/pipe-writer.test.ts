import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { PipeWriter } from './pipe-writer.ts'

/** A writer on a pipe whose other end the test reads, when it likes. */
function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pipe-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const given = openSync(path, constants.O_WRONLY)
  const clock = new ManualClock()
  const reported = { lost: 0, drained: 0 }
  const events = { lost: (lines: number) => (reported.lost += lines), drained: () => reported.drained++ }
  const writer = new PipeWriter(given, clock, events, { silence: 20, total: 40 })
  const buffer = Buffer.alloc(1 << 20)
  /** What is in the pipe. */
  const read = (): string => {
    let text = ''
    for (;;) {
      try {
        const bytes = readSync(reader, buffer)
        if (bytes === 0) return text
        text += buffer.toString('latin1', 0, bytes)
      } catch {
        return text
      }
    }
  }
  return { writer, clock, reported, read, leave: () => closeSync(reader) }
}

const piece = (i: number): Buffer => Buffer.from(`${String(i).padEnd(4094, '.')}\n`)

/** The numbers of the pieces that came, each of which must be whole. */
function numbers(text: string): number[] {
  const lines = text.split('\n').slice(0, -1)
  assert.ok(lines.every((line) => line.length === 4094))
  return lines.map((line) => Number.parseInt(line, 10))
}

test('a full pipe does not block, and everything arrives in order once it is read', (t) => {
  const { writer, clock, reported, read } = setUp(t)
  for (let i = 0; i < 200; i++) writer.write(piece(i))
  let text = read()
  assert.ok(numbers(text).length < 200)
  for (let i = 0; i < 20; i++) {
    clock.advance(5)
    text += read()
  }
  assert.deepEqual(
    numbers(text),
    Array.from({ length: 200 }, (_, i) => i),
  )
  assert.equal(reported.lost, 0)
  assert.equal(clock.pending, 0)
})

test('the buffer is bounded, what does not fit is counted, and a notification follows once there is room again', (t) => {
  const { writer, clock, reported, read } = setUp(t)
  for (let i = 0; i < 5000; i++) writer.write(piece(i))
  assert.ok(reported.lost > 800 && reported.lost < 1000, `${reported.lost} lost`)
  let text = read()
  const drained = reported.drained
  while (reported.drained === drained) {
    clock.advance(5)
    text += read()
  }
  assert.equal(numbers(text).length + reported.lost, 5000)
})

test('a reader that closes the pipe causes lost lines and nothing else', async (t) => {
  const { writer, reported, leave } = setUp(t)
  leave()
  for (let i = 0; i < 10; i++) writer.write(piece(i))
  await writer.flush()
  await writer.end()
  assert.equal(reported.lost, 10)
})

test('end() writes what it can, and gives up on a reader that does not read', async (t) => {
  const { writer, reported, read } = setUp(t)
  for (let i = 0; i < 200; i++) writer.write(piece(i))
  await writer.end()
  const received = numbers(read()).length
  assert.ok(received > 0)
  assert.equal(received + reported.lost, 200)
})

test('flushSync() gives up in the same way', (t) => {
  const { writer, reported, read } = setUp(t)
  for (let i = 0; i < 200; i++) writer.write(piece(i))
  writer.flushSync()
  assert.equal(numbers(read()).length + reported.lost, 200)
})
