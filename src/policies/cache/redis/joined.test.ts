import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Joined } from './joined.ts'

function setUp() {
  const asked: { key: string; answer: (value: number) => void }[] = []
  const joined = new Joined<number>((key) => new Promise((answer) => asked.push({ key, answer })))
  return { asked, joined }
}

test('who comes while a question is under way shares the next one, which is asked afterwards', async () => {
  const { asked, joined } = setUp()
  const first = joined.ask('k')
  const others = [joined.ask('k'), joined.ask('k')]
  assert.equal(asked.length, 1)
  asked[0]!.answer(1)
  assert.equal(await first, 1)
  await setImmediate()
  assert.equal(asked.length, 2)
  const last = joined.ask('k')
  asked[1]!.answer(2)
  assert.deepEqual(await Promise.all(others), [2, 2])
  await setImmediate()
  asked[2]!.answer(3)
  assert.equal(await last, 3)
})

test('questions with other keys wait for nothing, and nothing is left of one that is answered', async () => {
  const { asked, joined } = setUp()
  const answers = [joined.ask('a'), joined.ask('b')]
  assert.deepEqual(
    asked.map(({ key }) => key),
    ['a', 'b'],
  )
  for (const { answer } of asked) answer(1)
  assert.deepEqual(await Promise.all(answers), [1, 1])
  await setImmediate()
  const again = joined.ask('a')
  assert.equal(asked.length, 3)
  asked[2]!.answer(2)
  assert.equal(await again, 2)
})
