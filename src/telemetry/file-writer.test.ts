import assert from 'node:assert/strict'
import { existsSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { createFileWriter } from './file-writer.ts'
import { BUFFER_SIZE } from './writer.ts'

// They hold what is known of sonic-boom beyond what it says of itself: that it takes buffers, and can be made synchronous while
// it writes.

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'log')
  let lost = 0
  const writer = createFileWriter(openSync(path, 'a'), { lost: (lines) => (lost += lines), drained: () => {} })
  return { writer, read: () => readFileSync(path, 'latin1'), lost: () => lost }
}

test('bytes are written unchanged, even if they are not valid UTF-8', async (t) => {
  const { writer, read } = open(t)
  writer.write(Buffer.from([0xff, 0x00, 0x80, 0x0a]))
  await writer.flush()
  assert.equal(read(), '\xff\x00\x80\n')
  await writer.end()
})

test('a synchronous flush writes everything in order, except what another thread is writing, which end() writes', async (t) => {
  const { writer, read } = open(t)
  const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}\n`)
  for (const line of lines) writer.write(Buffer.from(line))
  writer.flushSync()
  const [first = '', ...rest] = lines
  // Of the first one it is a matter of chance whether it is there yet.
  assert.equal(read().replace(first, ''), rest.join(''))
  await writer.end()
  assert.equal(read().replace(first, ''), rest.join(''))
  assert.ok(read().includes(first))
})

test('lines beyond the buffer are dropped and counted', async (t) => {
  const { writer, lost } = open(t)
  writer.write(Buffer.alloc(BUFFER_SIZE, 'a\n'))
  writer.write(Buffer.from('b\nc\n'))
  assert.equal(lost(), 2)
  await writer.end()
})

test(
  'at the end, a file on a full disk is closed, and its lines are counted as lost',
  { skip: !existsSync('/dev/full') },
  async () => {
    const descriptor = openSync('/dev/full', 'a')
    let lost = 0
    const writer = createFileWriter(descriptor, { lost: (lines) => (lost += lines), drained: () => {} })
    writer.write(Buffer.from('a\nb\n'))
    await writer.flush()
    writer.write(Buffer.from('c\n'))
    await writer.end()
    assert.equal(lost, 3)
    assert.throws(() => fstatSync(descriptor), { code: 'EBADF' })
  },
)
