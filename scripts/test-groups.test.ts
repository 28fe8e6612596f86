import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { groups, quickFiles, quickSizes, slowFiles, writeGroups } from './test-groups.ts'

const root = join(import.meta.dirname, '..')

test('every test file is quick or slow, and only property and reference tests are both', () => {
  const [quick, slow] = [new Set(quickFiles(root)), new Set(slowFiles(root))]
  assert.ok(quick.has('scripts/test-groups.test.ts'))
  assert.ok(slow.has('test/package.slow.test.ts'))
  for (const file of quick) if (slow.has(file)) assert.match(file, /\.(property|reference)\.test\.ts$/)
})

test('tests of installed packages are not run', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-groups-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const place of ['bench', 'bench/node_modules/package/test']) {
    mkdirSync(join(folder, place), { recursive: true })
    writeFileSync(join(folder, place, 'a.test.ts'), '')
  }
  assert.deepEqual(quickFiles(folder), ['bench/a.test.ts'])
})

test('groups contain every file once, with neighbors together', () => {
  assert.deepEqual(groups(['a', 'b', 'c', 'd', 'e'], 2), [['a', 'b'], ['c', 'd'], ['e']])
  assert.deepEqual(groups([], 2), [])
})

test('the module of a group imports its files', () => {
  const { folder, modules } = writeGroups(root, ['src/a.test.ts', 'src/b.test.ts'], quickSizes)
  try {
    const [module = ''] = modules
    assert.match(
      readFileSync(module, 'utf8'),
      /^import 'file:.*\/src\/a\.test\.ts'\nimport 'file:.*\/src\/b\.test\.ts'\n$/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
