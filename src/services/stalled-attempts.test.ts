import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines } from '../http/deadlines.ts'
import { HealthBoard } from './health/board.ts'
import { StalledAttempts, type WaitingAttempt } from './stalled-attempts.ts'

class Attempt implements WaitingAttempt {
  readonly instance: { slot: number }
  prior: WaitingAttempt | null = null
  following: WaitingAttempt | null = null
  told = 0

  constructor(slot: number) {
    this.instance = { slot }
  }

  stalled(): void {
    this.told++
  }
}

function setUp() {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const board = HealthBoard.create(3)
  const stalled = new StalledAttempts(board, deadlines)
  const stall = (slot: number): void =>
    board.ejections.begin(slot, { reason: 'stall', since: 0, until: 1, times: 1, amount: 5, of: 1_000 })
  return { clock, deadlines, stalled, stall }
}

test('property: exactly the attempts waiting for a stalled instance are notified', () => {
  const step = fc.record({ slot: fc.nat(2), leaves: fc.boolean(), which: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(2), (steps, slot) => {
      const { clock, stalled, stall } = setUp()
      const waiting: Attempt[] = []
      const removed: Attempt[] = []
      for (const each of steps) {
        if (each.leaves && waiting.length > 0) {
          const [left] = waiting.splice(each.which % waiting.length, 1)
          stalled.remove(left!)
          removed.push(left!)
          continue
        }
        const attempt = new Attempt(each.slot)
        waiting.push(attempt)
        stalled.add(attempt)
      }
      stall(slot)
      clock.advance(200)
      for (const attempt of waiting) assert.equal(attempt.told, attempt.instance.slot === slot ? 1 : 0)
      for (const attempt of removed) assert.equal(attempt.told, 0)
    }),
  )
})

test('nothing is checked while nobody waits', () => {
  const { clock, deadlines, stalled } = setUp()
  assert.equal(deadlines.size, 0)
  const attempt = new Attempt(0)
  stalled.add(attempt)
  clock.advance(1_000)
  assert.equal(deadlines.size, 1)
  stalled.remove(attempt)
  clock.advance(200)
  assert.equal(deadlines.size, 0)
})
