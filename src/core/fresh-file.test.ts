import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test from 'node:test'
import { freshNameOf, removeLeftovers } from './fresh-file.ts'

test('fresh files that are a minute older than a new one are left over, and removed; no others', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (file: string, seconds: number): string => {
    writeFileSync(file, '')
    utimesSync(file, seconds, seconds)
    return basename(file)
  }
  const file = join(folder, 'sallyport.yaml')
  const fresh = freshNameOf(file)
  const kept = [
    write(fresh, 100),
    write(freshNameOf(file), 41),
    write(freshNameOf(file), 500),
    write(file, 0),
    write(`${file}.new`, 0),
    write(`${file}.7.new`, 0),
  ]
  write(freshNameOf(file), 40)
  write(freshNameOf(join(folder, 'last-good.yaml')), 0)
  removeLeftovers(fresh)
  assert.deepEqual(readdirSync(folder).toSorted(), kept.toSorted())
})

test('a folder that cannot be read is ignored', () => {
  assert.doesNotThrow(() => removeLeftovers('/no/such/folder/file'))
})
