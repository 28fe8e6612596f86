import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { OutageLog } from './outage-log.ts'

test('an outage is logged once however often something works meanwhile, and is over after ten seconds without a failure', () => {
  const clock = new ManualClock()
  const lines: string[] = []
  const outage = new OutageLog(clock, {
    begins: (error) => void lines.push(`begins: ${String(error)}`),
    ends: () => void lines.push('ends'),
  })
  outage.worked()
  for (let second = 0; second < 60; second++) {
    outage.failed(second)
    clock.advance(1000)
    outage.worked()
  }
  assert.deepEqual(lines, ['begins: 0'])
  clock.advance(8999)
  outage.worked()
  assert.deepEqual(lines, ['begins: 0'])
  clock.advance(1)
  outage.worked()
  outage.worked()
  assert.deepEqual(lines, ['begins: 0', 'ends'])
  outage.failed('again')
  assert.deepEqual(lines, ['begins: 0', 'ends', 'begins: again'])
})
