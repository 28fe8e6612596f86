import assert from 'node:assert/strict'
import test from 'node:test'
import { FILES, folderOf, YAML } from '../../test/support/config-files.ts'
import { tryConfiguration } from './try-configuration.ts'

async function reading(file: string) {
  const read = await tryConfiguration({ file, instead: null, against: null })
  assert.ok(read.type === 'read')
  return read
}

test('all files of a configuration are listed, with its text as written', async (t) => {
  const { path } = folderOf(t, FILES)
  const { files, text, unusable } = await reading(path('sallyport.yaml'))
  assert.deepEqual([...files.keys()].toSorted(), Object.keys(FILES).map(path).toSorted())
  assert.equal(text, YAML)
  assert.equal(unusable, null)
})

for (const [what, content, message] of [
  ['is empty', '', /is empty; expected a map with /],
  ['does not contain a map', 'hello', /expected a map/],
] as const)
  test(`a file that ${what} is refused`, async (t) => {
    const { path } = folderOf(t, { 'sallyport.yaml': content })
    const refused = await tryConfiguration({ file: path('sallyport.yaml'), instead: null, against: null })
    assert.ok(refused.type === 'refused')
    assert.match(refused.problems[0]?.message ?? '', message)
  })

test('a module has no text of its own, and lists its imports', async (t) => {
  const { path } = folderOf(t, {
    'a.config.ts': "import { value } from './value.ts'\nexport default { workers: value }",
    'value.ts': 'export const value = 3',
  })
  const { files, text, config } = await reading(path('a.config.ts'))
  assert.deepEqual([config.workers, text], [3, null])
  assert.deepEqual([...files.keys()].toSorted(), ['a.config.ts', 'value.ts'].map(path))
})
