import assert from 'node:assert/strict'
import test from 'node:test'
import { FILES, folderOf, YAML } from '../../test/support/config-files.ts'
import { readConfig } from './read-config.ts'

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
