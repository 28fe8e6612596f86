import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { TopicHandlers, defineTopic } from '../core/threads.ts'
import { createLineLogger } from '../telemetry/logger.ts'
import { Channel, type ChannelMessage } from './channel.ts'

const doubled = defineTopic<number, number>('doubled')
const reported = defineTopic<number, null>('told')

/** Two ends, and what each of them answers. */
function connect(clock: ManualClock) {
  const lines: string[] = []
  const log = createLineLogger('info', clock, (line) => lines.push(line))
  const [here, there] = [new TopicHandlers(log), new TopicHandlers(log)]
  const end = (answers: TopicHandlers, send: (message: ChannelMessage) => void) =>
    new Channel({
      send,
      answer: (topic, asked) => answers.answer(topic, asked),
      onTell: (topic, what) => void answers.answer(topic, what),
      clock,
      timeout: 1000,
    })
  const near: Channel = end(here, (message) => far.receive(structuredClone(message)))
  const far: Channel = end(there, (message) => near.receive(structuredClone(message)))
  return { near, far, here, there, lines }
}

test('each end answers the requests of the other', async () => {
  const clock = new ManualClock()
  const { near, far, here, there } = connect(clock)
  there.on(doubled, (n) => n * 2)
  here.on(doubled, async (n) => Promise.resolve(n + n))
  assert.deepEqual(await near.askAll(doubled, 21), [42])
  assert.deepEqual(await far.askAll(doubled, 4), [8])
  assert.equal(clock.pending, 0)
})

test('every listener of a thread answers, and no listener means no answer', async () => {
  const { near, there } = connect(new ManualClock())
  assert.deepEqual(await near.askAll(doubled, 1), [])
  there.on(doubled, (n) => n * 2)
  there.on(doubled, (n) => n * 2 + 1)
  assert.deepEqual(await near.askAll(doubled, 1), [2, 3])
})

test('a listener that throws is logged and gives no answer', async () => {
  const { near, there, lines } = connect(new ManualClock())
  there.on(doubled, () => {
    throw new Error('broken')
  })
  there.on(doubled, (n) => n)
  assert.deepEqual(await near.askAll(doubled, 7), [7])
  assert.match(lines.join(''), /"topic":"doubled".*broken.*A thread could not answer/)
})

test('a thread that times out or is gone gives no answer', async () => {
  const clock = new ManualClock()
  const { near, there } = connect(clock)
  there.on(doubled, () => new Promise<number>(() => {}))
  const late = near.askAll(doubled, 1)
  clock.advance(1000)
  assert.deepEqual(await late, [])
  const lost = near.askAll(doubled, 1)
  near.close()
  assert.deepEqual(await lost, [])
  assert.equal(clock.pending, 0)
})

test('a notification is delivered, and nothing is sent back', async () => {
  const clock = new ManualClock()
  const { near, there } = connect(clock)
  const received = new Promise<number>((resolve) => {
    there.on(reported, (n) => {
      resolve(n)
      return null
    })
  })
  near.tell(reported, 7)
  assert.equal(await received, 7)
  assert.equal(clock.pending, 0)
})
