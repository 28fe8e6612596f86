import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines } from '../http/deadlines.ts'
import { HealthBoard } from './health/board.ts'
import { Stranded, type Waiting } from './stranded.ts'

class Attempt implements Waiting {
  readonly instance: { slot: number }
  prior: Waiting | null = null
  following: Waiting | null = null
  told = 0

  constructor(slot: number) {
    this.instance = { slot }
  }

  stranded(): void {
    this.told++
  }
}

function setUp() {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const board = HealthBoard.create(3)
  const stranded = new Stranded(board, deadlines)
  const stall = (slot: number): void =>
    board.ejections.begin(slot, { reason: 'stall', since: 0, until: 1, times: 1, amount: 5, of: 1_000 })
  return { clock, deadlines, stranded, stall }
}

test('property: exactly the attempts waiting for a stalled instance are notified', () => {
  const step = fc.record({ slot: fc.nat(2), leaves: fc.boolean(), which: fc.nat(50) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(2), (steps, slot) => {
      const { clock, stranded, stall } = setUp()
      const waiting: Attempt[] = []
      const gone: Attempt[] = []
      for (const each of steps) {
        if (each.leaves && waiting.length > 0) {
          const [left] = waiting.splice(each.which % waiting.length, 1)
          stranded.remove(left!)
          gone.push(left!)
          continue
        }
        const attempt = new Attempt(each.slot)
        waiting.push(attempt)
        stranded.add(attempt)
      }
      stall(slot)
      clock.advance(200)
      for (const attempt of waiting) assert.equal(attempt.told, attempt.instance.slot === slot ? 1 : 0)
      for (const attempt of gone) assert.equal(attempt.told, 0)
    }),
  )
})

test('nothing is checked while nobody waits', () => {
  const { clock, deadlines, stranded } = setUp()
  assert.equal(deadlines.size, 0)
  const attempt = new Attempt(0)
  stranded.add(attempt)
  clock.advance(1_000)
  assert.equal(deadlines.size, 1)
  stranded.remove(attempt)
  clock.advance(200)
  assert.equal(deadlines.size, 0)
})
