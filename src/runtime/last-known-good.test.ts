import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { freshNameOf } from '../core/fresh-file.ts'
import { LastKnownGood, StateFolderError } from './last-known-good.ts'

const NOBODY = 65_534

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('the last text and five earlier ones are kept, without consecutive duplicates', async (t) => {
  const lastKnownGood = new LastKnownGood(join(folderOf(t), 'state', 'sallyport'))
  lastKnownGood.check()
  assert.deepEqual([lastKnownGood.latest(), lastKnownGood.earlier()], [null, []])
  for (const text of ['a', 'b', 'b', 'c']) await lastKnownGood.keep(text)
  assert.deepEqual([lastKnownGood.latest(), lastKnownGood.earlier()], ['c', ['b', 'a']])
  for (const text of ['d', 'e', 'f', 'g']) await lastKnownGood.keep(text)
  assert.deepEqual([lastKnownGood.latest(), lastKnownGood.earlier()], ['g', ['f', 'e', 'd', 'c', 'b']])
  // Another process finds the same.
  assert.deepEqual(new LastKnownGood(lastKnownGood.folder).earlier(), lastKnownGood.earlier())
})

test('simultaneous keeps are written in order', async (t) => {
  const lastKnownGood = new LastKnownGood(folderOf(t))
  await Promise.all(['a', 'b', 'c'].map((text) => lastKnownGood.keep(text)))
  assert.deepEqual([lastKnownGood.latest(), lastKnownGood.earlier()], ['c', ['b', 'a']])
})

test('kept files are private to the user of the gateway', async (t) => {
  const folder = join(folderOf(t), 'state')
  const lastKnownGood = new LastKnownGood(folder)
  lastKnownGood.check()
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  await lastKnownGood.keep('a')
  await lastKnownGood.keep('b')
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  assert.deepEqual(readdirSync(folder).toSorted(), ['last-good.yaml', 'last-good.yaml.1'])
})

test('what a process has left behind that was killed while it wrote is removed at the next start', (t) => {
  const lastKnownGood = new LastKnownGood(folderOf(t))
  const left = freshNameOf(lastKnownGood.file)
  writeFileSync(left, 'half of')
  utimesSync(left, 0, 0)
  lastKnownGood.check()
  assert.deepEqual(readdirSync(lastKnownGood.folder), [])
})

test('a failed keep leaves what was kept before', async (t) => {
  const lastKnownGood = new LastKnownGood(folderOf(t))
  await lastKnownGood.keep('a')
  rmSync(lastKnownGood.folder, { recursive: true })
  await assert.rejects(lastKnownGood.keep('b'), { code: 'ENOENT' })
  lastKnownGood.check()
  await lastKnownGood.keep('c')
  assert.deepEqual([lastKnownGood.latest(), lastKnownGood.earlier()], ['c', []])
})

test('an unusable folder is an error with the reason', (t) => {
  const folder = folderOf(t)
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => new LastKnownGood(join(folder, 'file')).check(), {
    constructor: StateFolderError,
    message: `reload.stateDir: "${folder}/file" is a file: expected a folder`,
  })
  assert.throws(() => new LastKnownGood(join(folder, 'file', 'below')).check(), /below" cannot be created: ENOTDIR/)
})

test('a folder without write permission is an error that names the user', (t) => {
  const folder = folderOf(t)
  chmodSync(folder, 0o555)
  // The user of tests is often one who may do anything.
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    assert.throws(() => new LastKnownGood(folder).check(), {
      constructor: StateFolderError,
      message: /cannot be written by the user .*: change its owner or mode, or choose another folder$/,
    })
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})
