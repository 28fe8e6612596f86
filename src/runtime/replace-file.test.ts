import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freshNameOf } from '../core/fresh-file.ts'
import { checkReplaceable, replaceFile, ReplaceError } from './replace-file.ts'

function folderOf(t: TestContext): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, 'one')
  return { folder, file }
}

const read = (file: string): string => readFileSync(file, 'utf8')

test('the file has the new text, with up to five earlier ones next to it', async (t) => {
  const { folder, file } = folderOf(t)
  for (const text of ['two', 'three', 'four', 'five', 'six', 'seven']) await replaceFile(file, text)
  assert.equal(read(file), 'seven')
  const copies = [1, 2, 3, 4, 5].map((age) => read(`${file}.${age}`))
  assert.deepEqual(copies, ['six', 'five', 'four', 'three', 'two'])
  assert.equal(readdirSync(folder).length, 6)
})

test('the same text changes nothing', async (t) => {
  const { folder, file } = folderOf(t)
  const { ino } = statSync(file)
  await replaceFile(file, 'one')
  assert.deepEqual([statSync(file).ino, readdirSync(folder)], [ino, ['sallyport.yaml']])
})

test('mode and owner of the file and of the copies are kept', async (t) => {
  const { file } = folderOf(t)
  chmodSync(file, 0o640)
  const root = process.getuid?.() === 0
  if (root) chownSync(file, 1234, 2345)
  const { uid, gid, mode } = statSync(file)
  await replaceFile(file, 'two')
  for (const each of [file, `${file}.1`]) {
    const found = statSync(each)
    assert.deepEqual([found.uid, found.gid, found.mode], [uid, gid, mode], each)
  }
})

test('a symbolic link is kept', async (t) => {
  const { folder, file } = folderOf(t)
  const named = join(folder, 'link.yaml')
  symlinkSync(file, named)
  await replaceFile(named, 'two')
  assert.deepEqual([read(file), read(`${file}.1`), read(named)], ['two', 'one', 'two'])
  assert.deepEqual(readdirSync(folder).toSorted(), ['link.yaml', 'sallyport.yaml', 'sallyport.yaml.1'])
})

test('checkReplaceable changes nothing', async (t) => {
  const { folder, file } = folderOf(t)
  await checkReplaceable(file, 'two')
  assert.deepEqual([read(file), readdirSync(folder)], ['one', ['sallyport.yaml']])
})

test('what a process has left behind that was killed while it wrote is removed by the next one that writes', async (t) => {
  const { folder, file } = folderOf(t)
  const left = freshNameOf(file)
  writeFileSync(left, 'half of')
  utimesSync(left, 0, 0)
  await checkReplaceable(file, 'two')
  assert.deepEqual(readdirSync(folder), ['sallyport.yaml'])
})

test('a missing file, and one that is a mount point, are rejected with advice', async (t) => {
  const { folder } = folderOf(t)
  const removed = join(folder, 'gone.yaml')
  for (const attempt of [checkReplaceable, replaceFile])
    await assert.rejects(attempt(removed, 'two'), new ReplaceError(`${removed} no longer exists: put it back`))
  // As a container has a file of its own for the names of hosts, Linux has file systems that nobody can write.
  await assert.rejects(checkReplaceable('/proc/version', 'two'), ReplaceError)
  assert.deepEqual(readdirSync(folder), ['sallyport.yaml'])
})
