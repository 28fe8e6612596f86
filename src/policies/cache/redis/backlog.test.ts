import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { Backlog } from './backlog.ts'

function setUp() {
  const clock = new ManualClock()
  const state = { works: false, over: false, done: [] as string[] }
  const backlog = new Backlog(clock, () => state.over)
  const task = (name: string) => () => {
    state.done.push(name)
    return Promise.resolve(state.works ? 1 : null)
  }
  const add = (name: string): void => backlog.add(name, task(name), task('everything'))
  const later = async (): Promise<void> => {
    clock.advance(500)
    await setImmediate()
  }
  return { state, backlog, add, later }
}

test('a task is tried again until it is done, and those after it then', async () => {
  const { state, backlog, add, later } = setUp()
  add('a')
  add('b')
  add('a')
  assert.equal(backlog.isEmpty, false)
  await later()
  assert.deepEqual(state.done, ['a'])
  state.works = true
  await later()
  assert.deepEqual(state.done, ['a', 'a', 'b'])
  assert.equal(backlog.isEmpty, true)
  await later()
  assert.equal(state.done.length, 3)
  add('c')
  await later()
  assert.equal(state.done.at(-1), 'c')
})

test('instead of more than a thousand tasks there is one that does them all', async () => {
  const { state, add, later } = setUp()
  for (let i = 0; i <= 1_000; i++) add(String(i))
  state.works = true
  await later()
  assert.deepEqual(state.done, ['everything', '1000'])
})

test('nothing is tried any more when all is over', async () => {
  const { state, add, later } = setUp()
  add('a')
  state.over = true
  await later()
  assert.deepEqual(state.done, [])
})
