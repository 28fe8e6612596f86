import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { leftOut } from '../src/import/kong/plugins/left-out.ts'
import { translators } from '../src/import/kong/plugins/index.ts'

const text = readFileSync(join(import.meta.dirname, '../docs/from-kong.md'), 'utf8')
const rows = Array.from(
  text.matchAll(/^\| `([a-z0-9-]+)` +\| (yes|partly|no|closed) +\|/gm),
  ([, name = '', imported = '']) => ({
    name,
    imported,
  }),
)

test('the table of plugins lists each one that the importer knows, once', () => {
  const known = [...translators.flatMap(({ names }) => names), ...Object.keys(leftOut)]
  assert.deepEqual(
    rows.map(({ name }) => name),
    known.toSorted(),
  )
})

test('it says which plugins are imported, in accordance with the importer', () => {
  const translated = new Set(translators.flatMap(({ names }) => names))
  for (const { name, imported } of rows) {
    const left = Object.hasOwn(leftOut, name) ? leftOut[name] : undefined
    const expected = translated.has(name) ? ['yes', 'partly', 'no'] : [left?.guards === true ? 'closed' : 'no']
    assert.ok(expected.includes(imported), `${name}: ${imported}`)
  }
})
