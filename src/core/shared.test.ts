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

test('one key has one object per thread', () => {
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

test('an object is handed over to a new holder, and closed after the last', () => {
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

test('objects without close are dropped', () => {
  const things = new Shared<{ readonly number: number }>()
  const holder = new Holder({})
  const thing = things.get(holder, 'a', () => ({ number: 1 }))
  holder.release()
  assert.notEqual(
    things.get(holder, 'a', () => ({ number: 2 })),
    thing,
  )
})

test('property: an object lives from the first holder of its key to the last', () => {
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

test('the parts of an object are closed after it', () => {
  const ended: string[] = []
  const [parts, wholes] = [new Shared<{ close(): void }>(), new Shared<{ close(): void }>()]
  const partOf = (holder: Holder) => parts.get(holder, 'part', () => ({ close: () => void ended.push('part') }))
  const thread = {}
  const [one, two, three] = [new Holder(thread), new Holder(thread), new Holder(thread)]
  const whole = (holder: Holder, key: string) =>
    wholes.get(holder, key, (own) => {
      partOf(own)
      return { close: () => void ended.push(key) }
    })
  whole(one, 'a')
  whole(two, 'a')
  one.release()
  whole(three, 'b')
  two.release()
  assert.deepEqual(ended, ['a'])
  three.release()
  assert.deepEqual(ended, ['a', 'b', 'part'])
})

test('an object that cannot be created releases its parts', () => {
  const ended: string[] = []
  const parts = new Shared<{ close(): void }>()
  const make = (own: Holder): never => {
    parts.get(own, 'part', () => ({ close: () => void ended.push('part') }))
    throw new Error('it cannot be made')
  }
  assert.throws(() => new Shared<{ close?(): void }>().get(new Holder({}), 'a', make), /it cannot be made/)
  assert.deepEqual(ended, ['part'])
})

test('takeover callbacks run once, or at once if it has already happened', () => {
  const holder = new Holder({})
  const reported: string[] = []
  holder.onTakeOver(() => void reported.push('early'))
  assert.equal(reported.length, 0)
  holder.takeOver()
  holder.onTakeOver(() => void reported.push('late'))
  holder.takeOver()
  assert.deepEqual(reported, ['early', 'late'])
})

test('an object takes over with the first of its holders that does, and so do its parts', () => {
  const [parts, wholes] = [new Shared<object>(), new Shared<object>()]
  const thread = {}
  let begun = 0
  const whole = (holder: Holder) =>
    wholes.get(holder, 'whole', (own) => {
      parts.get(own, 'part', (ownOfPart) => {
        ownOfPart.onTakeOver(() => begun++)
        return {}
      })
      return {}
    })
  const [refused, one, two] = [new Holder(thread), new Holder(thread), new Holder(thread)]
  for (const holder of [refused, one, two]) whole(holder)
  refused.release()
  assert.equal(begun, 0)
  one.takeOver()
  two.takeOver()
  assert.equal(begun, 1)
})

test('an isolated holder has its own objects, and can see those of the thread', () => {
  const things = new Shared<Thing>()
  const thread = {}
  const thing = things.get(new Holder(thread), 'a', () => new Thing())
  const aside = Holder.isolated(thread)
  const own = things.get(aside, 'a', () => new Thing())
  assert.notEqual(own, thing)
  assert.equal(things.peek(aside, 'a'), thing)
  assert.equal(things.peek(aside, 'b'), null)
  assert.notEqual(
    things.get(Holder.isolated(thread), 'a', () => new Thing()),
    own,
  )
  aside.release()
  assert.deepEqual([own.closed, thing.closed], [true, false])
})

test('objects created for an isolated holder use isolated parts', () => {
  const [inner, outer] = [new Shared<Thing>(), new Shared<Thing>()]
  const thread = {}
  const live = inner.get(new Holder(thread), 'a', () => new Thing())
  const aside = Holder.isolated(thread)
  outer.get(aside, 'b', (own) => {
    assert.notEqual(
      inner.get(own, 'a', () => new Thing()),
      live,
    )
    return new Thing()
  })
  aside.release()
  assert.equal(live.closed, false)
})
