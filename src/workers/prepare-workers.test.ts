import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_CODE } from '../config/loaded-code.ts'
import { parseConfig } from '../config/parse.ts'
import { abandonTopic, type NextGeneration, type PreparationResult, prepareTopic } from '../front/next-generation.ts'
import { prepareWorkers } from './prepare-workers.ts'

const next: NextGeneration = { number: 2, config: parseConfig({}), modules: NO_CODE, discovered: {}, slots: {} }

/** Workers that answer like that when they prepare a configuration; records their questions. */
function workers(answers: readonly PreparationResult[]) {
  const requests: string[] = []
  return {
    asked: requests,
    all: answers.map((answer, i) => ({
      hasEnded: false,
      ask: async (topic: string) => {
        requests.push(`${topic} ${i}`)
        return topic === prepareTopic.name ? [answer] : [null]
      },
    })),
  }
}

const READY: PreparationResult = { addresses: [], problem: null }

test('a configuration is sent to one worker at a time', async () => {
  const { asked, all } = workers([READY, READY, READY, READY])
  const preparing = prepareWorkers(all, next, [])
  let most = asked.length
  for (let before = asked.length; asked.length < all.length; before = asked.length) {
    await new Promise(setImmediate)
    most = Math.max(most, asked.length - before)
  }
  await preparing
  assert.deepEqual(
    asked,
    [0, 1, 2, 3].map((i) => `${prepareTopic.name} ${i}`),
  )
  assert.equal(most, 1)
})

test('once a worker fails to prepare, no further worker is asked', async () => {
  const { asked, all } = workers([READY, { addresses: null, problem: 'no room' }, READY, READY])
  await assert.rejects(prepareWorkers(all, next, []), { message: 'no room' })
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  assert.deepEqual(
    asked.filter((each) => each.startsWith(prepareTopic.name)),
    [`${prepareTopic.name} 0`, `${prepareTopic.name} 1`],
  )
  assert.equal(asked.filter((each) => each.startsWith(abandonTopic.name)).length, 4)
})
