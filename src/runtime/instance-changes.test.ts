import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { InstanceChanges } from './instance-changes.ts'

function start() {
  const clock = new ManualClock()
  const under: ((done: boolean) => void)[] = []
  const exchange = (): Promise<boolean> => new Promise((resolve) => void under.push(resolve))
  const changes = new InstanceChanges({ clock, exchange })
  const finish = async (done = true): Promise<void> => {
    under.at(-1)!(done)
    await new Promise((resolve) => void setImmediate(resolve))
  }
  return { clock, changes, finish, begun: () => under.length }
}

test('simultaneous changes are applied together', () => {
  const { clock, changes, begun } = start()
  for (let i = 0; i < 50; i++) changes.note()
  clock.advance(99)
  assert.equal(begun(), 0)
  clock.advance(1)
  assert.equal(begun(), 1)
})

test('there is at least a second between updates, and changes meanwhile are not lost', async () => {
  const { clock, changes, finish, begun } = start()
  changes.note()
  clock.advance(100)
  changes.note()
  clock.advance(5_000)
  assert.equal(begun(), 1)
  await finish()
  clock.advance(999)
  assert.equal(begun(), 1)
  clock.advance(1)
  assert.equal(begun(), 2)
  await finish()
  clock.advance(60_000)
  assert.equal(begun(), 2)
})

test('a failed update is retried with backoff until it succeeds', async () => {
  const { clock, changes, finish, begun } = start()
  changes.note()
  clock.advance(100)
  for (const [times, wait] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    await finish(false)
    clock.advance(wait - 1)
    assert.equal(begun(), times + 1)
    clock.advance(1)
    assert.equal(begun(), times + 2)
  }
  await finish()
  changes.note()
  clock.advance(1_000)
  assert.equal(begun(), 9)
  await finish(false)
  clock.advance(1_000)
  assert.equal(begun(), 10, 'it starts again after a success')
})

test('nothing starts after stop', async () => {
  const { clock, changes, finish, begun } = start()
  changes.note()
  clock.advance(100)
  changes.note()
  changes.stop()
  await finish()
  clock.advance(60_000)
  assert.equal(begun(), 1)
})
