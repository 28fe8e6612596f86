import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { StreamTable } from './stream-table.ts'

interface Stream {
  readonly id: number
}

test('property: it holds the same streams as a Map', () => {
  // Few ids that share a slot, and more than fit into the first slots.
  const id = fc.oneof(
    fc.nat(80),
    fc.constantFrom(1, 65, 129, 193, 257, 2_147_483_647),
    fc.integer({ min: 1, max: 4000 }),
  )
  const operations = fc.array(fc.record({ adds: fc.boolean(), id }), { maxLength: 200 })
  fc.assert(
    fc.property(operations, (all) => {
      const [table, map] = [new StreamTable<Stream>(), new Map<number, Stream>()]
      for (const { adds, id: which } of all) {
        if (!adds) assert.equal(table.delete(which), map.delete(which))
        else {
          const stream = { id: which }
          table.add(stream)
          map.set(which, stream)
        }
        assert.equal(table.size, map.size)
        assert.equal(table.get(which), map.get(which))
      }
      assert.deepEqual(new Set(table.values()), new Set(map.values()))
      for (const each of map.keys()) assert.equal(table.get(each), map.get(each))
      table.clear()
      assert.deepEqual([table.size, [...table.values()]], [0, []])
    }),
  )
})

test('streams that are deleted during an iteration are left out, and all others are visited', () => {
  const table = new StreamTable<Stream>()
  for (let id = 1; id < 400; id += 2) table.add({ id })
  const deleted = new Set<number>()
  for (const { id } of table.values()) {
    assert.ok(!deleted.has(id))
    for (const each of [id, id + 2]) if (table.delete(each)) deleted.add(each)
  }
  assert.equal(deleted.size, 200)
  assert.equal(table.size, 0)
})
