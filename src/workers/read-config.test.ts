import assert from 'node:assert/strict'
import test from 'node:test'
import { FILES, folderOf, POLICY, YAML } from '../../test/support/config-files.ts'
import { ConfigError } from '../config/problems.ts'
import { readConfig } from './read-config.ts'

test('all files of a configuration are listed, with its text as written', async (t) => {
  const { path } = folderOf(t, FILES)
  const { files, text, unusable } = await readConfig(path('sallyport.yaml'))
  assert.deepEqual([...files.keys()].toSorted(), Object.keys(FILES).map(path).toSorted())
  assert.equal(text, YAML)
  assert.equal(unusable, null)
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
  ['does not contain a map', 'hello', /expected a map/],
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
  await assert.rejects(reading, /sallyport\.yaml was not read completely, because the gateway is stopping$/)
  await assert.rejects(readConfig(path('sallyport.yaml'), null, stopping.signal), /was not read completely/)
})
