import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Lru, type LruItem } from './lru.ts'

interface Item extends LruItem<Item> {
  readonly value: number
}

const itemOf = (key: string, size: number, value = 0): Item => ({ key, size, value, newer: null, older: null })

test('property: bytes are the sum of the items, within the limit, and the least recently used are evicted', () => {
  const key = fc.integer({ min: 0, max: 9 }).map(String)
  const step = fc.oneof(
    fc.record({ add: key, size: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ use: key }),
    fc.record({ remove: key }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const limit = 10
      const evicted: string[] = []
      const lru = new Lru<Item>(limit, ({ key: gone }) => evicted.push(gone))
      /** The oldest first. */
      let model: { key: string; size: number }[] = []
      const bytes = (): number => model.reduce((sum, { size }) => sum + size, 0)
      const makeRoom = (): string[] => {
        const removed: string[] = []
        while (bytes() > limit) removed.push(model.shift()!.key)
        return removed
      }
      for (const each of steps) {
        let removed: string[] = []
        if ('add' in each) {
          const known = lru.get(each.add)
          if (known !== undefined) lru.remove(known)
          model = [...model.filter((other) => other.key !== each.add), { key: each.add, size: each.size }]
          lru.add(itemOf(each.add, each.size))
          removed = makeRoom()
        } else if ('use' in each) {
          const known = model.find((other) => other.key === each.use)
          assert.equal(lru.use(each.use)?.key, known?.key)
          if (known !== undefined) model = [...model.filter((other) => other !== known), known]
        } else {
          const known = lru.get(each.remove)
          assert.equal(
            known !== undefined && lru.remove(known),
            model.some((other) => other.key === each.remove),
          )
          if (known !== undefined) assert.equal(lru.remove(known), false)
          model = model.filter((other) => other.key !== each.remove)
        }
        assert.deepEqual(evicted.splice(0), removed)
        assert.equal(lru.bytes, bytes())
        assert.equal(lru.size, model.length)
        assert.deepEqual(
          new Set(Array.from(lru.values(), (item) => item.key)),
          new Set(model.map((other) => other.key)),
        )
      }
    }),
  )
})

test('there is no room for an item that would evict many others', () => {
  const lru = new Lru<Item>(80, () => {})
  assert.equal(lru.hasRoomFor(10), true)
  assert.equal(lru.hasRoomFor(11), false)
})
