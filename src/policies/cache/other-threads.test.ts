import assert from 'node:assert/strict'
import test from 'node:test'
import { Answers, type Threads, type Topic } from '../../core/threads.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import type { Invalidation } from './invalidation-topic.ts'
import { OtherThreads } from './other-threads.ts'

const A: Invalidation = { kind: 'url', of: 'h/a' }
const B: Invalidation = { kind: 'prefix', of: 'h/b' }
const C: Invalidation = { kind: 'group', of: 'h g' }

/** A gateway of several threads, each of which says what it was told. */
function startGateway(size: number) {
  const { log } = createMemoryLogger()
  const all = Array.from({ length: size }, () => new Answers(log))
  let asked = 0
  const threads: Threads = {
    askAll: async <Asked, Answer>(topic: Topic<Asked, Answer>, what: Asked): Promise<Answer[]> => {
      asked++
      return (await Promise.all(all.map((each) => each.askAll(topic, what)))).flat()
    },
    askMain: () => Promise.resolve([]),
  }
  return {
    asked: () => asked,
    threads: all.map((answers) => {
      const heard: Invalidation[][] = []
      const tools = { threads, answer: answers.on.bind(answers) }
      return { heard, others: new OtherThreads(tools, (what) => void heard.push([...what])) }
    }),
  }
}

test('the others are told, and whoever tells them is not', () => {
  const { threads } = startGateway(3)
  threads[0]!.others.tell(A)
  assert.deepEqual(
    threads.map(({ heard }) => heard),
    [[], [[A]], [[A]]],
  )
})

test('what is told in one turn after the first goes together', async () => {
  const { threads, asked } = startGateway(2)
  const [one, two] = threads
  for (const what of [A, B, C]) one!.others.tell(what)
  assert.deepEqual(two!.heard, [[A]])
  await new Promise(setImmediate)
  assert.deepEqual(two!.heard, [[A], [B, C]])
  one!.others.tell(B)
  assert.deepEqual(two!.heard.at(-1), [B])
  await new Promise(setImmediate)
  assert.equal(asked(), 3, 'where nothing follows nothing is sent')
})

test('two gateways in one process do not hear each other', () => {
  const [one, two] = [startGateway(1), startGateway(1)]
  one.threads[0]!.others.tell(A)
  assert.deepEqual(two.threads[0]!.heard, [])
})

test('one that is closed neither hears nor tells', async () => {
  const { threads } = startGateway(3)
  const [one, two, three] = threads
  one!.others.tell(A)
  one!.others.tell(B)
  one!.others.close()
  two!.others.close()
  await new Promise(setImmediate)
  three!.others.tell(C)
  assert.deepEqual(
    threads.map(({ heard }) => heard),
    [[], [[A]], [[A]]],
  )
})
