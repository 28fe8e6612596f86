import assert from 'node:assert/strict'
import test from 'node:test'
import { FILES, folderOf, POLICY, YAML } from '../../test/support/config-files.ts'
import { ConfigError } from '../config/problems.ts'
import { readConfig } from './read-config.ts'

test('a rejected configuration also lists its files, including missing ones', async (t) => {
  const { path } = folderOf(t, { 'sallyport.yaml': YAML, 'mark.ts': POLICY, secret: 'short' })
  const error = await readConfig(path('sallyport.yaml')).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof ConfigError)
  assert.deepEqual([...error.files.keys()].toSorted(), Object.keys(FILES).map(path).toSorted())
  assert.equal(error.files.get(path('networks.txt')), 'ENOENT')
})

test('reading is abandoned at shutdown, even if code in a file never ends', async (t) => {
  const { path } = folderOf(t, { ...FILES, 'value.ts': 'export const value = 1\nfor (;;);' })
  const stopping = new AbortController()
  const reading = readConfig(path('sallyport.yaml'), null, stopping.signal)
  setImmediate(() => stopping.abort())
  await assert.rejects(reading, /sallyport\.yaml was not read completely, because the gateway is stopping$/)
  await assert.rejects(readConfig(path('sallyport.yaml'), null, stopping.signal), /was not read completely/)
})
