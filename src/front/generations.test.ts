import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Generations } from './generations.ts'

/** A generation that writes down what becomes of it, and of what takes effect with it. */
function generation(name: string, events: string[]) {
  return {
    name,
    takeOver: () => void events.push(`${name} takes over`),
    stop: () => void events.push(`${name} stops`),
    close: () => void events.push(`${name} closes`),
    releaser: () => void events.push(`${name} releases`),
  }
}

function start() {
  const events: string[] = []
  const clock = new ManualClock()
  const generations = new Generations(generation('one', events), 1, clock)
  const made = (name: string) => ({
    generation: generation(name, events),
    drainTimeout: 1000,
    others: {
      commit: () => void events.push(`${name} commits`),
      abandon: () => void events.push(`${name} is abandoned`),
    },
  })
  return { events, clock, generations, made }
}

test('the committed generation takes over, and the previous one is closed after drainTimeout', async () => {
  const { events, clock, generations, made } = start()
  await generations.prepare(2, async () => made('two'))
  assert.equal(generations.commit(3), false)
  assert.equal(generations.commit(2), true)
  assert.equal(generations.current.name, 'two')
  assert.deepEqual(events, ['two takes over', 'two commits', 'one stops'])
  clock.advance(1000)
  assert.equal(events.at(-1), 'one releases')
})

test('a generation that is ready after it was abandoned is not used for a later attempt with the same number', async () => {
  const { events, generations, made } = start()
  const slow = Promise.withResolvers<ReturnType<typeof made>>()
  const first = generations.prepare(2, () => slow.promise)
  generations.abandon(2)
  await generations.prepare(2, async () => made('right'))
  slow.resolve(made('wrong'))
  await assert.rejects(first, { message: 'it is no longer needed' })
  assert.deepEqual(events, ['wrong is abandoned', 'wrong closes'])
  assert.equal(generations.commit(2), true)
  assert.equal(generations.current.name, 'right')
})

test('a generation that is ready during the next attempt is not used for that attempt', async () => {
  const { generations, made } = start()
  const [slow, slower] = [
    Promise.withResolvers<ReturnType<typeof made>>(),
    Promise.withResolvers<ReturnType<typeof made>>(),
  ]
  const first = generations.prepare(2, () => slow.promise)
  generations.abandon(2)
  const second = generations.prepare(2, () => slower.promise)
  slow.resolve(made('wrong'))
  await assert.rejects(first, { message: 'it is no longer needed' })
  assert.equal(generations.commit(2), false)
  slower.resolve(made('right'))
  await second
  assert.equal(generations.commit(2), true)
  assert.equal(generations.current.name, 'right')
})
