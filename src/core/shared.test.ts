import assert from 'node:assert/strict'
import test from 'node:test'
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
