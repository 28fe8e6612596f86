import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Semaphore } from './semaphore.ts'

test('tasks run one after the other, even after a failure', async () => {
  const turns = new Semaphore()
  const done: string[] = []
  const first = Promise.withResolvers<void>()
  const one = turns.run(async () => {
    done.push('one begins')
    await first.promise
    done.push('one ends')
    throw new Error('one')
  })
  const two = turns.run(async () => {
    done.push('two')
    return 2
  })
  await Promise.resolve()
  first.resolve()
  await assert.rejects(one, /one/)
  assert.equal(await two, 2)
  assert.deepEqual(done, ['one begins', 'one ends', 'two'])
})

test('length counts running and waiting tasks', async () => {
  const turns = new Semaphore()
  const first = Promise.withResolvers<void>()
  const one = turns.run(() => first.promise)
  const two = turns.run(async () => 2)
  assert.equal(turns.length, 2)
  first.resolve()
  await one
  await two
  assert.equal(turns.length, 0)
})

test('at most the given number of tasks run at a time, in order', async () => {
  const turns = new Semaphore(2)
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const begun: number[] = []
  const all = ends.map(({ promise }, i) =>
    turns.run(async () => {
      begun.push(i)
      await promise
    }),
  )
  assert.deepEqual([begun, turns.length], [[0, 1], 4])
  ends[1]?.resolve()
  await all[1]
  await setImmediate()
  assert.deepEqual(begun, [0, 1, 2])
  for (const { resolve } of ends) resolve()
  await Promise.all(all)
  assert.deepEqual([begun, turns.length], [[0, 1, 2, 3], 0])
})
