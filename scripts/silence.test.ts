import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { endSilence } from './silence.ts'

test('a run ends after a period without output, however long it has been running', async () => {
  const clock = new ManualClock()
  let ended = 0
  const reporter = endSilence(clock, 100, () => ended++)
  for (let i = 0; i < 10; i++) {
    clock.advance(99)
    reporter.write({ type: 'test:pass' })
  }
  assert.equal(ended, 0)
  clock.advance(100)
  assert.equal(ended, 1)
})

test('a finished run is not ended', async () => {
  const clock = new ManualClock()
  const reporter = endSilence(clock, 100, () => assert.fail('the run is over'))
  reporter.resume().end({ type: 'test:summary' })
  await once(reporter, 'end')
  assert.equal(clock.pending, 0)
})
