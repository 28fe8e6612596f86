import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { DenseSet } from './dense-set.ts'

class Item {
  index = -1
}

test('property: it holds the same objects as a Set', () => {
  const operations = fc.array(fc.record({ adds: fc.boolean(), which: fc.nat(9) }), { maxLength: 60 })
  fc.assert(
    fc.property(operations, (all) => {
      const items = Array.from({ length: 10 }, () => new Item())
      const [dense, set] = [new DenseSet<'index', Item>('index'), new Set<Item>()]
      for (const { adds, which } of all) {
        const item = items[which]!
        if (!adds) assert.equal(dense.delete(item), set.delete(item))
        else {
          dense.add(item)
          set.add(item)
        }
        assert.equal(dense.size, set.size)
        assert.deepEqual(new Set(dense), set)
        for (const each of items) assert.equal(dense.has(each), set.has(each))
      }
    }),
  )
})

test('a search prefers objects that were added early', () => {
  const items = Array.from({ length: 5 }, () => new Item())
  const dense = new DenseSet<'index', Item>('index')
  for (const item of items) dense.add(item)
  assert.equal(
    dense.find((item) => item !== items[0]),
    items[1],
  )
  assert.equal(
    dense.find(() => false),
    undefined,
  )
})

test('property: an iteration visits each object that stays, whatever is added and deleted meanwhile', () => {
  const changes = fc.array(fc.record({ at: fc.nat(9), adds: fc.boolean(), which: fc.nat(19) }), { maxLength: 30 })
  fc.assert(
    fc.property(changes, (all) => {
      const items = Array.from({ length: 20 }, () => new Item())
      const dense = new DenseSet<'index', Item>('index')
      for (const item of items.slice(0, 10)) dense.add(item)
      const stay = new Set(dense)
      const visited = new Set<Item>()
      let count = 0
      for (const item of dense) {
        visited.add(item)
        for (const { adds, which } of all.filter(({ at }) => at === count)) {
          const changed = items[which]!
          if (adds) dense.add(changed)
          else {
            dense.delete(changed)
            stay.delete(changed)
          }
        }
        count++
      }
      for (const item of stay) assert.ok(visited.has(item))
    }),
  )
})
