import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ConfigError } from '../config/problems.ts'
import { readConfig } from './read-config.ts'

/** A folder with files in it; returns the path of each. */
function folderOf(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: string): void => writeFileSync(join(folder, name), content)
  for (const [name, content] of Object.entries(files)) write(name, content)
  return { path: (name: string) => join(folder, name), write }
}

const POLICY = `import { definePolicy, z } from 'sallyport'
import { value } from './value.ts'
export default definePolicy({ name: 'mark', summary: 'Marks.', options: z.strictObject({}), create: () => (next) => next })
export { value }
`
const YAML = `# a comment
secrets: ["\${file:secret}"]
trustedProxies: [{ file: networks.txt }]
policyFiles: [./mark.ts]
policies: { mark: {}, validation: { openapi: { document: openapi.yaml } } }
routes: [{ id: a, match: { path: /a }, reply: {} }]
`
const FILES = {
  'sallyport.yaml': YAML,
  secret: `${'s'.repeat(32)}\n`,
  'networks.txt': '10.0.0.0/8\n',
  'mark.ts': POLICY,
  'value.ts': 'export const value = 1',
  'openapi.yaml':
    'openapi: 3.1.0\ninfo: { title: a, version: "1" }\npaths: { /a: { get: { responses: { 200: { description: ok } } } } }',
}

test('all files of a configuration are listed, with its text as written', async (t) => {
  const { path } = folderOf(t, FILES)
  const { files, text, unusable } = await readConfig(path('sallyport.yaml'))
  assert.deepEqual([...files.keys()].toSorted(), Object.keys(FILES).map(path).toSorted())
  assert.equal(text, YAML)
  assert.equal(unusable, null)
})

test('the revision changes only with the meaning of the files', async (t) => {
  const { path, write } = folderOf(t, FILES)
  const revision = async () => (await readConfig(path('sallyport.yaml'))).revision
  const first = await revision()
  write('sallyport.yaml', YAML.replace('# a comment', '# another one\n'))
  assert.equal(await revision(), first)
  const seen = new Set([first])
  for (const [name, from, to] of [
    ['sallyport.yaml', '/a', '/b'],
    ['secret', 's', 't'],
    ['networks.txt', '10', '11'],
    ['mark.ts', 'Marks', 'Notes'],
    ['value.ts', '1', '2'],
    ['openapi.yaml', 'ok', 'fine'],
  ] as const) {
    write(name, FILES[name].replaceAll(from, to))
    seen.add(await revision())
    write(name, FILES[name])
  }
  assert.equal(seen.size, 7)
  assert.equal(await revision(), first)
})

test('a rejected configuration also lists its files, including missing ones', async (t) => {
  const { path } = folderOf(t, { 'sallyport.yaml': YAML, 'mark.ts': POLICY, secret: 'short' })
  const error = await readConfig(path('sallyport.yaml')).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof ConfigError)
  assert.deepEqual([...error.files.keys()].toSorted(), Object.keys(FILES).map(path).toSorted())
  assert.equal(error.files.get(path('networks.txt')), 'ENOENT')
})

for (const [what, content, message] of [
  ['is empty', '', /expected a map with .* not nothing/],
  ['holds no map', 'hello', /expected a map/],
] as const)
  test(`a file that ${what} is rejected`, async (t) => {
    const { path } = folderOf(t, { 'sallyport.yaml': content })
    await assert.rejects(readConfig(path('sallyport.yaml')), message)
  })

test('a module has no text of its own, and lists its imports', async (t) => {
  const { path } = folderOf(t, {
    'a.config.ts': "import { value } from './value.ts'\nexport default { workers: value }",
    'value.ts': 'export const value = 3',
  })
  const { files, text, config } = await readConfig(path('a.config.ts'))
  assert.deepEqual([config.workers, text], [3, null])
  assert.deepEqual([...files.keys()].toSorted(), ['a.config.ts', 'value.ts'].map(path))
})

test('reading is abandoned at shutdown, even if code in a file never ends', async (t) => {
  const { path } = folderOf(t, { ...FILES, 'value.ts': 'export const value = 1\nfor (;;);' })
  const stopping = new AbortController()
  const reading = readConfig(path('sallyport.yaml'), null, stopping.signal)
  setImmediate(() => stopping.abort())
  await assert.rejects(reading, /sallyport\.yaml was not read to the end, as the gateway is stopping$/)
  await assert.rejects(readConfig(path('sallyport.yaml'), null, stopping.signal), /was not read to the end/)
})
