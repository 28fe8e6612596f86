import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Holder, Shared } from './shared.ts'

class Thing {
  closed = false

  close(): void {
    this.closed = true
  }
}

test('what is asked for under one key in one thread is one thing', () => {
  const things = new Shared<Thing>()
  const holder = new Holder({})
  const thing = things.get(holder, 'a', () => new Thing())
  assert.equal(
    things.get(holder, 'a', () => new Thing()),
    thing,
  )
  assert.notEqual(
    things.get(holder, 'b', () => new Thing()),
    thing,
  )
  assert.notEqual(
    things.get(new Holder({}), 'a', () => new Thing()),
    thing,
  )
})

test('a thing goes over to whoever asks for it before the one that has it lets go, and is closed after the last', () => {
  const things = new Shared<Thing>()
  const thread = {}
  const [before, after] = [new Holder(thread), new Holder(thread)]
  const thing = things.get(before, 'a', () => new Thing())
  things.get(before, 'a', () => new Thing())
  assert.equal(
    things.get(after, 'a', () => new Thing()),
    thing,
  )
  before.release()
  assert.equal(thing.closed, false)
  after.release()
  assert.equal(thing.closed, true)
  assert.notEqual(
    things.get(new Holder(thread), 'a', () => new Thing()),
    thing,
  )
})

test('what cannot be closed is let go of', () => {
  const things = new Shared<{ readonly close?: never }>()
  const holder = new Holder({})
  const thing = things.get(holder, 'a', () => ({}))
  holder.release()
  assert.notEqual(
    things.get(holder, 'a', () => ({})),
    thing,
  )
})

test('whoever holds and lets go in whatever order, a thing lives from the first holder of its key to the last', () => {
  const step = fc.record({ holder: fc.nat(3), key: fc.constantFrom('a', 'b', null) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const things = new Shared<Thing>()
      const thread = {}
      const holders = Array.from({ length: 4 }, () => new Holder(thread))
      const model = new Map<string, { thing: Thing; held: Set<number> }>()
      let made = 0
      for (const { holder, key } of steps) {
        // Lets go of everything.
        if (key === null) {
          holders[holder]!.release()
          for (const [name, { thing, held }] of model) {
            held.delete(holder)
            assert.equal(thing.closed, held.size === 0)
            if (held.size === 0) model.delete(name)
          }
          continue
        }
        const before = made
        const thing = things.get(holders[holder]!, key, () => {
          made++
          return new Thing()
        })
        const known = model.get(key)
        assert.equal(made > before, known === undefined)
        if (known !== undefined) assert.equal(thing, known.thing)
        assert.equal(thing.closed, false)
        model.set(key, { thing, held: new Set([...(known?.held ?? []), holder]) })
      }
    }),
  )
})
