import assert from 'node:assert/strict'
import test from 'node:test'
import { newUuid } from './uuid.ts'

test('UUIDs are of version 4 and unique', () => {
  const made = Array.from({ length: 10_000 }, () => newUuid())
  for (const id of made) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(new Set(made).size, made.length)
})

test('all other digits are random', () => {
  const made = Array.from({ length: 1000 }, () => newUuid())
  for (let at = 0; at < 36; at++) {
    const found = new Set(made.map((id) => id[at])).size
    assert.equal(found, [8, 13, 14, 18, 23].includes(at) ? 1 : at === 19 ? 4 : 16, `digit ${at}`)
  }
})
