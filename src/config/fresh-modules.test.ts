import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { modulesLoaded } from './fresh-modules.ts'
import { importDefault } from './import-module.ts'

/** Files of code in a folder of their own. */
function folderOf(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  for (const [name, content] of Object.entries(files)) write(name, content)
  return { write, load: (name: string) => importDefault(join(folder, name)) }
}

/** Counts how often it is loaded, in a variable of the process. */
const counted = (name: string) =>
  `globalThis.${name} = (globalThis.${name} ?? 0) + 1; export const times = globalThis.${name}`

for (const [kind, entry, file, content] of [
  [
    'an import',
    "import { value } from './lib/a.ts'\nexport default value",
    'lib/a.ts',
    'export const value: number = 1',
  ],
  ['an import of an import', "export { default } from './lib/b.ts'", 'lib/a.ts', 'export const value: number = 1'],
  ['a dynamic import', "export default (await import('./lib/a.ts')).value", 'lib/a.ts', 'export const value = 1'],
  ['CommonJS', "import { value } from './lib/a.cjs'\nexport default value", 'lib/a.cjs', 'exports.value = 1'],
  [
    'a module required by CommonJS',
    "import lib from './lib/c.cjs'\nexport default lib.value",
    'lib/a.cjs',
    'module.exports = { value: 1 }',
  ],
  [
    'a module loaded with require',
    "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport default require('./lib/a.cjs').value",
    'lib/a.cjs',
    'module.exports = { value: 1 }',
  ],
  [
    'JSON',
    "import lib from './lib/a.json' with { type: 'json' }\nexport default lib.value",
    'lib/a.json',
    '{ "value": 1 }',
  ],
] as const)
  test(`${kind} is loaded in its current version`, async (t) => {
    const { write, load } = folderOf(t, {
      'entry.ts': entry,
      'lib/b.ts': "import { value } from './a.ts'\nexport default value",
      'lib/c.cjs': "module.exports = require('./a.cjs')",
    })
    for (const version of ['1', '2', '3', '2']) {
      write(file, content.replace('1', version))
      assert.equal(await load('entry.ts'), Number(version))
    }
  })

test('a CommonJS file is loaded in its current version, with its requires', async (t) => {
  const { write, load } = folderOf(t, { 'entry.cjs': "module.exports = require('./a.cjs').value" })
  for (const version of ['1', '2', '3', '2']) {
    write('a.cjs', `exports.value = ${version}`)
    assert.equal(await load('entry.cjs'), Number(version))
  }
  write('entry.cjs', 'module.exports = 4')
  assert.equal(await load('entry.cjs'), 4)
})

test('unchanged modules are not loaded again, and stay shared by their importers', async (t) => {
  const { write, load } = folderOf(t, {
    'shared.ts': `${counted('sharedTimes')}\nexport const seen = []`,
    'plain.cjs': 'globalThis.plainTimes = (globalThis.plainTimes ?? 0) + 1; exports.times = globalThis.plainTimes',
    'a.ts':
      "import { seen, times } from './shared.ts'\nimport plain from './plain.cjs'\nexport default { seen, times, plain: plain.times }",
    'b.ts': "import { seen, times } from './shared.ts'\nexport default { seen, times }",
  })
  const [a, b] = [await load('a.ts'), await load('b.ts')] as { seen: unknown; times: number; plain: number }[]
  assert.equal(a?.seen, b?.seen)
  assert.equal(await load('a.ts'), a)
  write(
    'a.ts',
    "import { seen, times } from './shared.ts'\nimport plain from './plain.cjs'\nexport default { seen, times, plain: plain.times, other: true }",
  )
  const changed = (await load('a.ts')) as typeof a
  assert.notEqual(changed, a)
  assert.deepEqual([changed?.seen === a?.seen, changed?.times, changed?.plain], [true, 1, 1])
  assert.equal(await load('b.ts'), b)
})

test('modules in an import cycle are reloaded together', async (t) => {
  const { write, load } = folderOf(t, {
    'a.ts': "import { b } from './b.ts'\nexport const a = 'a1'\nexport default () => a + b()",
    'b.ts': "import { a } from './a.ts'\nexport const b = () => `${a}b1`",
  })
  const call = async () => ((await load('a.ts')) as () => string)()
  assert.equal(await call(), 'a1a1b1')
  write('b.ts', "import { a } from './a.ts'\nexport const b = () => `${a}b2`")
  assert.equal(await call(), 'a1a1b2')
})

test('a package is only loaded once', async (t) => {
  const { write, load } = folderOf(t, {
    'node_modules/pack/package.json': '{ "name": "pack", "type": "module", "exports": "./index.js" }',
    'node_modules/pack/index.js': "export { value } from './value.js'",
    'node_modules/pack/value.js': 'export const value = 1',
    'a.ts': "import { value } from 'pack'\nexport default [value, 1]",
  })
  assert.deepEqual(await load('a.ts'), [1, 1])
  write('node_modules/pack/value.js', 'export const value = 2')
  write('a.ts', "import { value } from 'pack'\nexport default [value, 2]")
  assert.deepEqual(await load('a.ts'), [1, 2])
})

test('every loaded version of a module is counted', async (t) => {
  const { write, load } = folderOf(t, {
    'a.ts': "import { value } from './b.ts'\nexport default value",
    'b.ts': 'export const value = 1',
  })
  const before = modulesLoaded()
  await load('a.ts')
  await load('a.ts')
  assert.equal(modulesLoaded() - before, 2)
  write('b.ts', 'export const value = 2')
  await load('a.ts')
  assert.equal(modulesLoaded() - before, 4)
})

test('a module that failed to load is retried when it or its missing import changes', async (t) => {
  const { write, load } = folderOf(t, { 'a.ts': "import { value } from './b.ts'\nexport default value" })
  await assert.rejects(load('a.ts'), /Cannot find module .*b\.ts/)
  write('b.ts', "throw new Error('broken')\nexport const value = 1")
  await assert.rejects(load('a.ts'), /broken/)
  write('b.ts', 'export const value = 1')
  assert.equal(await load('a.ts'), 1)
})
