import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines, TICK, type Timed } from './deadlines.ts'

class Item implements Timed {
  deadline = Number.POSITIVE_INFINITY
  watchIndex = -1
  times = 0
  onDeadline(): void {
    this.times++
  }
}

function open() {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const item = new Item()
  deadlines.watch(item)
  return { clock, deadlines, item }
}

test('a deadline is reached at most two ticks late and never early, wherever between two ticks it was set', () => {
  for (const offset of [0, 1, 50, 99]) {
    const { clock, deadlines, item } = open()
    clock.advance(1000 + offset)
    item.deadline = deadlines.in(500)
    clock.advance(499)
    assert.equal(item.times, 0)
    clock.advance(1 + 2 * TICK)
    assert.equal(item.times, 1)
  }
})

test('a deadline is reached once', () => {
  const { clock, deadlines, item } = open()
  item.deadline = deadlines.in(100)
  clock.advance(5000)
  assert.equal(item.times, 1)
  assert.equal(item.deadline, Number.POSITIVE_INFINITY)
})

test('a deadline that is moved is reached at its new time', () => {
  const { clock, deadlines, item } = open()
  item.deadline = deadlines.in(1000)
  clock.advance(900)
  item.deadline = deadlines.in(1000)
  clock.advance(900)
  assert.equal(item.times, 0)
  clock.advance(400)
  assert.equal(item.times, 1)
})

test('a forgotten item has no deadline', () => {
  const { clock, deadlines, item } = open()
  item.deadline = deadlines.in(100)
  assert.equal(deadlines.size, 1)
  deadlines.forget(item)
  assert.equal(deadlines.size, 0)
  clock.advance(1000)
  assert.equal(item.times, 0)
})

test('items can be forgotten and watched while deadlines are reached', () => {
  const { clock, deadlines, item } = open()
  const other = new Item()
  const late = new Item()
  deadlines.watch(other)
  const reached: Item[] = []
  for (const [one, another] of [[item, other] as const, [other, item] as const]) {
    one.deadline = deadlines.in(100)
    one.onDeadline = () => {
      reached.push(one)
      deadlines.forget(another)
      late.deadline = deadlines.in(100)
      deadlines.watch(late)
    }
  }
  clock.advance(300)
  assert.equal(reached.length, 1)
  clock.advance(300)
  assert.equal(late.times, 1)
})

test('the Date field follows the wall clock', () => {
  const { clock, deadlines } = open()
  assert.equal(deadlines.dateField, 'Date: Mon, 15 Jan 2024 10:30:00 GMT\r\n')
  clock.advance(61_000)
  assert.equal(deadlines.dateField, 'Date: Mon, 15 Jan 2024 10:31:01 GMT\r\n')
})

test('closed deadlines leave nothing running', () => {
  const { clock, deadlines, item } = open()
  item.deadline = deadlines.in(100)
  deadlines.close()
  assert.equal(clock.pending, 0)
  clock.advance(1000)
  assert.equal(item.times, 0)
})

test('time in which the thread was blocked does not count', () => {
  let now = 0
  let tick = (): void => {}
  const every = (_: number, task: () => void) => {
    tick = task
    return () => {}
  }
  const deadlines = new Deadlines({ now: () => now, wall: () => now, every, after: () => () => {} })
  const pass = (ms: number): void => {
    now += ms
    tick()
  }
  const item = new Item()
  deadlines.watch(item)
  item.deadline = deadlines.in(10 * TICK)
  pass(30_000)
  for (let ticks = 0; ticks < 9; ticks++) pass(TICK)
  assert.equal(item.times, 0)
  pass(2 * TICK)
  assert.equal(item.times, 1)
})
