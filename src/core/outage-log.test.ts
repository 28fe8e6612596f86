import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { OutageLog } from './outage-log.ts'

function setUp() {
  const clock = new ManualClock()
  const lines: string[] = []
  const outage = new OutageLog(clock, {
    begins: (error) => void lines.push(`begins: ${String(error)}`),
    ends: () => void lines.push('ends'),
  })
  return { clock, lines, outage }
}

test('an outage is logged once however often something works meanwhile, and is over after ten seconds without a failure', () => {
  const { clock, lines, outage } = setUp()
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

test('an outage that begins long after another one is logged, even if nothing was done in between that could show the end', () => {
  const { clock, lines, outage } = setUp()
  outage.failed(1)
  clock.advance(5000)
  outage.worked()
  clock.advance(4999)
  outage.failed(2)
  clock.advance(3_600_000)
  outage.failed(3)
  assert.deepEqual(lines, ['begins: 1'])
  outage.worked()
  clock.advance(10_000)
  outage.failed(4)
  assert.deepEqual(lines, ['begins: 1', 'begins: 4'])
})
