import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { loadedCode } from './fresh-modules.ts'
import { importDefault } from './import-module.ts'
import type { LoadedCode } from './loaded-code.ts'

type Files = Readonly<Record<string, string>>

/** Loads `entry.ts` of a folder with these files, and has what it consists of once nothing of it is there any more. */
async function loaded(folder: string, files: Files): Promise<LoadedCode> {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  const file = join(folder, 'entry.ts')
  await importDefault(file)
  const code = loadedCode([file])
  assert.ok(code)
  rmSync(folder, { recursive: true })
  return code
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sallyport-'))

/** What another thread has of the code, one after the other. */
async function inThread(codes: readonly LoadedCode[]): Promise<unknown> {
  const thread = new Worker(new URL('../../test/support/code-thread.ts', import.meta.url))
  const answer = once(thread, 'message')
  thread.postMessage(codes)
  const reported: readonly unknown[] = await answer
  await thread.terminate()
  return reported[0]
}

const cases: readonly (readonly [kind: string, files: Files])[] = [
  ['the file itself', { 'entry.ts': 'const one: number = 1\nexport default one' }],
  [
    'an import of an import',
    {
      'entry.ts': "export { default } from './lib/b.ts'",
      'lib/b.ts': "import { value } from './a.ts'\nexport default value",
      'lib/a.ts': 'export const value: number = 1',
    },
  ],
  [
    'a later import',
    {
      'entry.ts': "export default async () => (await import('./lib/a.ts')).value()",
      'lib/a.ts': "import { value } from './b.js'\nexport { value }",
      'lib/b.js': 'export const value = () => 1',
    },
  ],
  [
    'an import with a computed path',
    {
      // With a number that makes it another module too.
      'entry.ts': "const name = 'a' // 1\nexport default (await import(`./lib/${name}.ts`)).value",
      'lib/a.ts': 'export const value: number = 1',
    },
  ],
  [
    'CommonJS',
    {
      'entry.ts': "import lib from './lib/c.cjs'\nexport default lib.value",
      'lib/c.cjs': "module.exports = require('./a.cjs')",
      'lib/a.cjs': 'module.exports = { value: 1 }',
    },
  ],
  [
    'CommonJS required later',
    {
      'entry.ts':
        "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport default () => require('./lib/a.cjs').value",
      'lib/a.cjs': 'module.exports = { value: 1 }',
    },
  ],
  [
    'CommonJS in TypeScript',
    {
      'entry.ts': "import lib from './lib/c.cts'\nexport default lib.value",
      'lib/c.cts': "const a: { value: number } = require('./a.cts')\nmodule.exports = a",
      'lib/a.cts': 'const value: number = 1\nmodule.exports = { value }',
    },
  ],
  [
    'JSON',
    {
      'entry.ts': "import lib from './lib/a.json' with { type: 'json' }\nexport default lib.value",
      'lib/a.json': '{ "value": 1 }',
    },
  ],
  [
    'required JSON',
    {
      'entry.ts': "import lib from './lib/c.cjs'\nexport default lib.value",
      'lib/c.cjs': "module.exports = require('./a.json')",
      'lib/a.json': '{ "value": 1 }',
    },
  ],
]

for (const [kind, files] of cases)
  test(`${kind} is loaded in another thread as it was, whatever the files contain now`, async () => {
    const folder = newFolder()
    const one = await loaded(folder, files)
    const two = await loaded(
      folder,
      Object.fromEntries(Object.entries(files).map(([k, v]) => [k, v.replace(/\b1\b/, '2')])),
    )
    assert.deepEqual(await inThread([one, two, one]), [1, 2, 1])
  })

test('a late CommonJS require without extension loads the old version', async () => {
  const code = await loaded(newFolder(), {
    'entry.ts': "import lib from './lib/a.js'\nexport default () => lib.value()",
    'lib/package.json': '{ "type": "commonjs" }',
    'lib/a.js': "exports.value = () => require('./b').value",
    'lib/b.js': 'exports.value = 1',
  })
  assert.deepEqual(await inThread([code]), [1])
})

test('WebAssembly is loaded from its file', async (t) => {
  const folder = newFolder()
  t.after(() => rmSync(folder, { recursive: true }))
  // A function named "value" that returns 1.
  const bytes = '0061736d010000000105016000017f030201000709010576616c756500000a0601040041010b'
  writeFileSync(join(folder, 'one.wasm'), Buffer.from(bytes, 'hex'))
  writeFileSync(join(folder, 'entry.ts'), "import { value } from './one.wasm'\nexport default () => value()")
  await importDefault(join(folder, 'entry.ts'))
  const code = loadedCode([join(folder, 'entry.ts')])
  assert.ok(code)
  assert.deepEqual(await inThread([code]), [1])
})

test('code behind a changed symbolic link is loaded as it was', async () => {
  const folder = newFolder()
  const at = (name: string): string => join(folder, name)
  mkdirSync(at('1'))
  writeFileSync(at('1/mark.ts'), 'export const mark = 1')
  writeFileSync(at('1/policy.ts'), "import { mark } from './mark.ts'\nexport default mark")
  symlinkSync('1', at('data'))
  symlinkSync('data/policy.ts', at('policy.ts'))
  symlinkSync('data/mark.ts', at('mark.ts'))
  assert.equal(await importDefault(at('policy.ts')), 1)
  const code = loadedCode([at('policy.ts')])
  rmSync(folder, { recursive: true })
  assert.ok(code)
  assert.deepEqual(await inThread([code]), [1])
})

test('unchanged modules are shared with their state', async () => {
  const folder = newFolder()
  const shared = 'let times = 0\nexport const count = () => (times += 1)'
  const entry = "import { count } from './shared.ts'\nexport default count"
  const one = await loaded(folder, { 'entry.ts': entry, 'shared.ts': shared })
  const two = await loaded(folder, { 'entry.ts': `${entry}\n// Another one.`, 'shared.ts': shared })
  assert.deepEqual(await inThread([one, two, one]), [1, 2, 3])
})

test('unrelated files are not kept, nor too much in all', async () => {
  const folder = newFolder()
  const [file, other] = [join(folder, 'entry.ts'), join(folder, 'other.ts')]
  writeFileSync(other, 'export default 1')
  await importDefault(other)
  writeFileSync(file, "import { value } from './large.mjs'\nexport default value")
  writeFileSync(join(folder, 'large.mjs'), `export const value = 1 // ${'x'.repeat(1024)}`)
  await importDefault(file)
  const code = loadedCode([file])
  const names = Array.from(code?.modules.keys() ?? [], (url) => basename(fileURLToPath(url)))
  assert.deepEqual(new Set(names), new Set(['entry.ts', 'large.mjs']))
  writeFileSync(join(folder, 'large.mjs'), `export const value = 1 // ${'x'.repeat(16 * 1024 ** 2)}`)
  await importDefault(file)
  assert.equal(loadedCode([file]), null)
  rmSync(folder, { recursive: true })
})
