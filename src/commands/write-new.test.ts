import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { CommandError } from './command.ts'
import { writeNew } from './write-new.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

const file = (path: string) => ({ path, text: `of ${path}`, what: 'a file' })

test('files are written into folders that are created for them', (t) => {
  const folder = folderOf(t)
  writeNew(join(folder, 'gateway'), [file('a'), file('below/b')], 'choose another folder')
  assert.equal(readFileSync(join(folder, 'gateway', 'below', 'b'), 'utf8'), 'of below/b')
})

test('if one of several files cannot be written, the others and their folders are removed again', (t) => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'gateway'))
  writeFileSync(join(folder, 'gateway', 'file'), 'mine')
  const files = [file('a'), file('new/folders/b'), file('file/c')]
  assert.throws(
    () => writeNew(join(folder, 'gateway'), files, 'choose another folder'),
    new CommandError(
      `${join(folder, 'gateway', 'file', 'c')}: cannot be written: a part of its path is a file, not a folder. Nothing was written.`,
    ),
  )
  assert.deepEqual(readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted(), ['gateway', 'gateway/file'])
  assert.equal(readFileSync(join(folder, 'gateway', 'file'), 'utf8'), 'mine')
})
