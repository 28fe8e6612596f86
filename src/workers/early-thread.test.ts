import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EarlyThread } from './early-thread.ts'

test('a thread that was begun early is given to one worker, if its heap may take as much', async () => {
  const early = new EarlyThread(128)
  const thread = early.take(128)
  assert.ok(thread !== null)
  assert.deepEqual([thread.threadName, thread.resourceLimits?.maxOldGenerationSizeMb], ['worker-0', 128])
  assert.equal(early.take(128), null)
  await thread.terminate()
})

test('a thread whose heap may take too much, or too little, is not used', () => {
  assert.equal(new EarlyThread(128).take(null), null)
  assert.equal(new EarlyThread(null).take(128), null)
})
