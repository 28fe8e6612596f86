import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { SingleFlight } from './single-flight.ts'

function setUp() {
  const requests: { key: string; answer: (value: number) => void; fail: (error: Error) => void }[] = []
  const task = (key: string) =>
    new Promise<number>((answer, fail) => {
      requests.push({ key, answer, fail })
    })
  return { asked: requests, task, flights: new SingleFlight<number>() }
}

test('callers that join share the result of the task in progress, and nothing is kept afterwards', async () => {
  const { asked, task, flights } = setUp()
  const all = [flights.join('k', task), flights.join('k', task), flights.join('other', task)]
  assert.deepEqual(
    asked.map(({ key }) => key),
    ['k', 'other'],
  )
  asked[0]!.answer(1)
  asked[1]!.answer(2)
  assert.deepEqual(await Promise.all(all), [1, 1, 2])
  const again = flights.join('k', task)
  assert.equal(asked.length, 3)
  asked[2]!.answer(3)
  assert.equal(await again, 3)
})

test('a failure is shared by all who joined, and the next caller starts again', async () => {
  const { asked, task, flights } = setUp()
  const all = [flights.join('k', task), flights.join('k', task)]
  asked[0]!.fail(new Error('no'))
  for (const each of await Promise.allSettled(all)) assert.equal(each.status, 'rejected')
  const again = flights.join('k', task)
  asked[1]!.answer(1)
  assert.equal(await again, 1)
})

test('callers that follow share one further run, which starts after the current one', async () => {
  const { asked, task, flights } = setUp()
  const first = flights.follow('k', task)
  const others = [flights.follow('k', task), flights.follow('k', task)]
  assert.equal(asked.length, 1)
  asked[0]!.answer(1)
  assert.equal(await first, 1)
  await setImmediate()
  assert.equal(asked.length, 2)
  const last = flights.follow('k', task)
  asked[1]!.answer(2)
  assert.deepEqual(await Promise.all(others), [2, 2])
  await setImmediate()
  asked[2]!.answer(3)
  assert.equal(await last, 3)
})

test('a failure of the current run does not affect those that follow it', async () => {
  const { asked, task, flights } = setUp()
  const first = flights.follow('k', task)
  const next = flights.follow('k', task)
  asked[0]!.fail(new Error('no'))
  await assert.rejects(first)
  await setImmediate()
  asked[1]!.answer(2)
  assert.equal(await next, 2)
})

test('after clear, nobody joins the old run, and it removes nothing newer', async () => {
  const { asked, task, flights } = setUp()
  const before = flights.join('k', task)
  flights.forget()
  const after = flights.join('k', task)
  assert.equal(asked.length, 2)
  asked[0]!.answer(1)
  assert.equal(await before, 1)
  const joined = flights.join('k', task)
  assert.equal(asked.length, 2)
  asked[1]!.answer(2)
  assert.deepEqual(await Promise.all([after, joined]), [2, 2])
})
