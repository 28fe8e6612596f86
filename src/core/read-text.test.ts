import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { FileError, readText } from './read-text.ts'

test('a file is read up to its limit, and errors say what is wrong', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'sallyport-'))
  t.after(() => rm(place, { recursive: true }))
  const file = join(place, 'file')
  const reads = async (content: string | Buffer): Promise<string> => {
    await writeFile(file, content)
    return readText(file, 2048)
  }
  assert.equal(await reads(''), '')
  assert.equal(await reads('ä\n'), 'ä\n')
  assert.equal(await reads('\ufeffa'), 'a')
  assert.equal((await reads('a'.repeat(2048))).length, 2048)
  await assert.rejects(reads('a'.repeat(2049)), new FileError('is larger than 2 KiB'))
  await assert.rejects(reads(Buffer.of(0xff)), new FileError('is not UTF-8 text'))
  assert.throws(() => readText(place, 2048), new FileError('is a folder; expected a file in it'))
  assert.throws(() => readText(join(place, 'none'), 2048), new FileError('no such file'))
  assert.throws(() => readText(join(file, 'none'), 2048), new FileError('no such file'))
  execFileSync('mkfifo', [join(place, 'pipe')])
  assert.throws(() => readText(join(place, 'pipe'), 2048), new FileError('is not a regular file'))
  assert.throws(() => readText(`${place}\0`, 2048), /cannot be read: /)
})

test('the error for a file without permission names the user', async (t) => {
  const place = await mkdtemp(join(tmpdir(), 'sallyport-'))
  t.after(() => rm(place, { recursive: true }))
  const file = join(place, 'file')
  await writeFile(file, 'secret', { mode: 0 })
  const isRoot = process.getuid?.() === 0
  // Root may read anything.
  if (isRoot) process.seteuid?.(65_534)
  try {
    assert.throws(() => readText(file, 2048), /cannot be read by the user .+: change its owner or mode$/)
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})
