import assert from 'node:assert/strict'
import test from 'node:test'
import { writeFolder } from '../../test/support/folder.ts'
import { Folder } from './folder.ts'
import type { FilesOptions } from './schema.ts'

test('the cache of files is bounded, even if the folder is closed during a lookup', async (t) => {
  const content = Buffer.alloc(32_000)
  const names = Array.from({ length: 600 }, (_, i) => `/${i}.txt`)
  const root = await writeFolder(t, Object.fromEntries(names.map((name) => [name, content])))
  const options: FilesOptions = { root, index: false, precompressed: [], immutable: [] }
  const closed = new Folder(options)
  await closed.find('/0.txt', 0)
  const looking = closed.find('/0.txt', 2000)
  closed.close()
  await looking
  const folder = new Folder(options)
  t.after(() => folder.close())
  for (const name of names) await folder.find(name, 2000)
  const first = folder.find('/0.txt', 2000)
  assert.ok(first instanceof Promise, 'those that were used least recently have made room')
  await first
  assert.ok(!(folder.find('/599.txt', 2000) instanceof Promise), 'the newest is kept')
})
