import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { OverloadControl } from './control.ts'

const bounds = { delay: 50, for: 1_000 }

/** Looks again and again for so long, each look so late, and tells which part is shed then. */
function late(control: OverloadControl, from: number, time: number, lateness: number, busy = 1): number {
  for (let now = from + 20 + lateness; now <= from + time; now += 20 + lateness)
    control.look(now, lateness, busy, 20 + lateness, bounds)
  return control.part
}

test('nothing is shed while delays are short', () => {
  assert.equal(late(new OverloadControl(), 0, 60_000, 50), 0)
})

test('nothing is shed before delays have been long for a second without interruption', () => {
  const control = new OverloadControl()
  assert.equal(late(control, 0, 990, 60), 0)
  control.look(1_000, 50, 1, 70, bounds)
  assert.equal(late(control, 1_000, 990, 60), 0)
  assert.ok(late(control, 2_000, 200, 60) > 0)
})

test('one long turn, such as garbage collection, sheds nothing', () => {
  const control = new OverloadControl()
  for (let now = 0; now < 60_000; now += 1_000) {
    control.look(now, 900, 1, 920, bounds)
    control.look(now + 20, 0, 0.5, 20, bounds)
  }
  assert.equal(control.part, 0)
})

test('a thread without enough CPU time sheds nothing', () => {
  assert.equal(late(new OverloadControl(), 0, 60_000, 200, 0.5), 0)
})

test('the shed share rises gradually, and faster for longer delays', () => {
  const [a, b] = [new OverloadControl(), new OverloadControl()]
  const [slowly, quickly] = [late(a, 0, 2_000, 75), late(b, 0, 2_000, 200)]
  assert.ok(slowly > 0.1 && slowly < 0.4, `${slowly}`)
  assert.ok(quickly > slowly && quickly <= 1, `${quickly}`)
})

test('the shed share falls to nothing once delays are short again', () => {
  const control = new OverloadControl()
  assert.equal(late(control, 0, 10_000, 200), 1)
  assert.equal(late(control, 10_000, 5_000, 0), 0)
  assert.equal(late(control, 15_000, 900, 200), 0)
})

test('the shed share converges to what the thread cannot handle', () => {
  for (const load of [1.2, 2, 3, 5]) {
    const control = new OverloadControl()
    // Each event waits for what is queued; what a turn brings is what came in the turn before and was not shed.
    let queue = 0
    let now = 0
    const parts: number[] = []
    let done = 0
    while (now < 60_000) {
      const turn = Math.max(20, queue)
      now += turn
      if (now > 30_000) done += Math.min(turn, queue)
      // There are so many connections that can wait.
      queue = Math.min(3_000, turn * load * (1 - control.part))
      control.look(now, turn - 20, 1, turn, bounds)
      if (now > 30_000) parts.push(control.part)
    }
    const part = parts.reduce((sum, each) => sum + each, 0) / parts.length
    assert.ok(Math.abs(part - (1 - 1 / load)) < 0.1, `${load}: ${part}`)
    assert.ok(done / 30_000 > 0.9, `${load}: ${done / 30_000}`)
  }
})

test('property: the share is always between 0 and 1', () => {
  const look = fc.record({
    late: fc.double({ min: 0, max: 100_000, noNaN: true }),
    busy: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(look, { maxLength: 200 }), (looks) => {
      const control = new OverloadControl()
      let now = 0
      for (const each of looks) {
        now += each.late + 20
        control.look(now, each.late, each.busy, each.late + 20, bounds)
        assert.ok(control.part >= 0 && control.part <= 1)
      }
    }),
  )
})
