import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { seeded } from '../../test/support/simulation.ts'
import { Overload } from './overload.ts'

/** A clock whose timers are late. */
class LateClock extends ManualClock {
  late = 0

  override every(ms: number, task: () => void): () => void {
    const repeat = (): void => {
      task()
      cancel = this.after(ms + this.late, repeat)
    }
    let cancel = this.after(ms + this.late, repeat)
    return () => cancel()
  }
}

function setUp(busy = 1, share = 1, waited = 0) {
  const clock = new LateClock()
  const overload = new Overload(
    { delay: 50, for: 1_000 },
    { clock, random: seeded(1), work: () => ({ busy, share, waited }) },
  )
  const shed = (priority: 'high' | 'normal' | 'low'): number =>
    Array.from({ length: 1_000 }, () => overload.sheds(priority)).filter(Boolean).length / 1_000
  return { clock, overload, shed }
}

test('low priority is shed first, and high priority never', () => {
  const { clock, overload, shed } = setUp()
  clock.late = 80
  clock.advance(1_500)
  assert.ok(overload.active)
  const { part } = overload
  assert.ok(part > 0.05 && part < 0.2, `${part}`)
  assert.equal(shed('high'), 0)
  assert.ok(Math.abs(shed('normal') - part) < 0.05)
  assert.ok(Math.abs(shed('low') - 4 * part) < 0.05)
  clock.advance(60_000)
  assert.deepEqual([shed('high'), shed('normal'), shed('low')], [0, 1, 1])
  clock.late = 0
  clock.advance(10_000)
  assert.deepEqual([overload.active, shed('low')], [false, 0])
})

test('turning shedding off takes effect at once', () => {
  const { clock, overload, shed } = setUp()
  clock.late = 200
  clock.advance(10_000)
  overload.configure(false)
  assert.deepEqual([overload.active, shed('low')], [false, 0])
  clock.advance(10_000)
  assert.deepEqual([overload.active, clock.pending], [false, 0], 'nothing is measured')
  overload.configure({ delay: 50, for: 1_000 })
  clock.advance(10_000)
  assert.equal(overload.active, true)
})

test('with a quarter of a CPU the threshold is four times as high', () => {
  const { clock, overload } = setUp(1, 0.25)
  clock.late = 190
  clock.advance(60_000)
  assert.equal(overload.active, false)
  clock.late = 320
  clock.advance(60_000)
  assert.equal(overload.active, true)
})

test('a long accept queue counts as overload even if turns are short', () => {
  const { clock, overload } = setUp(1, 1, 80)
  clock.advance(900)
  assert.equal(overload.active, false)
  clock.advance(500)
  assert.equal(overload.active, true)
  const idle = setUp(0.5, 1, 80)
  idle.clock.advance(60_000)
  assert.equal(idle.overload.active, false)
})

test('short waits, or waits because of other processes, shed nothing however long they last', () => {
  for (const [share, waited] of [
    [1, 45],
    [0.1, 450],
  ] as const) {
    const { clock, overload } = setUp(1, share, waited)
    clock.advance(60_000)
    assert.equal(overload.active, false)
  }
})

test('close stops the checks', () => {
  const { clock, overload } = setUp()
  overload.close()
  assert.equal(clock.pending, 0)
})
