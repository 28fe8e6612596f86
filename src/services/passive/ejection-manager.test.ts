import assert from 'node:assert/strict'
import test from 'node:test'
import { makeOutcome } from '../../../test/support/outcome.ts'
import { type PassiveParts, setUpPassive } from '../../../test/support/passive.ts'

/** The second of the instances is ejected. */
function setUpEjected(parts: Partial<PassiveParts> = {}) {
  const service = setUpPassive({ weights: [1, 1, 1], ...parts })
  const eject = (): void => {
    for (let i = 0; i < 20; i++) for (const slot of [0, 2]) service.ask(slot, 200)
    for (let i = 0; i < 5; i++) service.ask(1, 503)
    assert.equal(service.ejected(), '.x.')
  }
  eject()
  return { ...service, eject }
}

/** Until it is back, in seconds. */
function outFor({ clock, ejected }: ReturnType<typeof setUpEjected>): number {
  const start = clock.now()
  while (ejected() !== '...') clock.advance(250)
  return Math.round((clock.now() - start) / 1000)
}

test('an instance returns after its time, with log lines and counts', () => {
  const service = setUpEjected()
  assert.equal(outFor(service), 30)
  assert.deepEqual(service.said(), [
    'instance-1:80 instance is ejected: 5 failures in a row, the last one: status 503',
    'instance-1:80 instance is back after an ejection: its time is over',
  ])
  assert.deepEqual(service.counted, ['row'])
})

test('repeated ejections get longer up to the maximum, and shorter with success', () => {
  const service = setUpEjected({ options: { longest: 100_000 } })
  const times = [outFor(service)]
  for (let i = 0; i < 4; i++) {
    service.eject()
    times.push(outFor(service))
  }
  assert.deepEqual(times, [30, 60, 90, 100, 100])
  service.clock.advance(90_000)
  service.eject()
  assert.equal(outFor(service), 90)
  service.clock.advance(600_000)
  service.eject()
  assert.equal(outFor(service), 30)
})

test('the longest ejection that can be configured does not end at once', () => {
  const tenYears = 3650 * 86_400_000
  const service = setUpEjected({ options: { eject: tenYears, longest: tenYears } })
  service.clock.advance(3_600_000)
  assert.equal(service.ejected(), '.x.')
})

test('ejections have jitter', () => {
  assert.equal(outFor(setUpEjected({ random: () => 0.999 })), 27)
})

test('the first failure after a return ejects again, until a success', () => {
  const service = setUpEjected()
  outFor(service)
  for (let i = 0; i < 20; i++) for (const slot of [0, 2]) service.ask(slot, 200)
  service.ask(1, 503)
  assert.equal(service.ejected(), '.x.')
  outFor(service)
  for (let i = 0; i < 5; i++) for (const slot of [0, 1, 2]) service.ask(slot, 200)
  for (let i = 0; i < 4; i++) service.ask(1, 503)
  assert.equal(service.ejected(), '...')
})

test('a passed health check ends an ejection after half of its time', () => {
  const service = setUpEjected()
  service.clock.advance(5_000)
  service.board.ejections.checkPassed(1, service.clock.now())
  service.clock.advance(9_750)
  assert.equal(service.ejected(), '.x.')
  service.clock.advance(500)
  assert.equal(service.ejected(), '...')
  assert.match(service.said().at(-1)!, /a check has passed$/)
})

test('a check that passed before the ejection does not end it', () => {
  const service = setUpPassive({ weights: [1, 1] })
  service.clock.advance(1_000)
  service.board.ejections.checkPassed(1, service.clock.now())
  service.clock.advance(1_000)
  for (let i = 0; i < 5; i++) service.ask(0, 200)
  for (let i = 0; i < 5; i++) service.ask(1, 503)
  service.clock.advance(29_500)
  assert.equal(service.ejected(), '.x')
})

test('an ejection ends if no other instance is usable', () => {
  const service = setUpEjected()
  service.board.set(0, 'unhealthy')
  service.clock.advance(250)
  assert.equal(service.ejected(), '.x.')
  service.board.set(2, 'unhealthy')
  service.clock.advance(250)
  assert.equal(service.ejected(), '...')
  assert.match(service.said().at(-1)!, /no other instance is usable$/)
})

test('an ejection ends if a reload turns passive health off, and stays otherwise', () => {
  const service = setUpEjected()
  service.keep(service.options)
  service.clock.advance(250)
  assert.equal(service.ejected(), '.x.')
  assert.equal(service.said().length, 1)
  service.keep(false)
  service.clock.advance(250)
  assert.equal(service.ejected(), '...')
})

test('another instance in the same slot starts without history', () => {
  const service = setUpEjected()
  service.board.vacate(1, 'pending')
  assert.equal(service.board.ejections.total(1), 0)
  service.board.set(1, 'healthy')
  assert.equal(service.ejected(), '...')
  service.ask(1, 503)
  assert.equal(service.ejected(), '...')
})

test('a worker that dies during a decision does not block others from ejecting', () => {
  const service = setUpPassive({ weights: [1, 1], workers: 2 })
  for (let i = 0; i < 5; i++) service.ask(0, 200)
  // It dies in the middle.
  let fail = (): void => {}
  service.board.ejections.alone(1, () => {
    fail = () => {
      for (let i = 0; i < 6; i++) service.ask(1, 503)
    }
    fail()
    assert.equal(service.ejected(), '..', 'another check is in progress')
    service.board.forget(1)
    service.ask(1, 503)
    assert.equal(service.ejected(), '.x')
  })
})

// Stalls

/** The second of three instances, which many requests wait for, while the others go on to reply. */
function setUpStalled(waiting = 5, took = 10) {
  const service = setUpPassive({ weights: [1, 1, 1] })
  for (let i = 0; i < 50; i++) for (const slot of [0, 1, 2]) service.ask(slot, 200, 0, took)
  const [judge, instance] = [service.judges[0]!, service.instances[1]!]
  for (let i = 0; i < waiting; i++) judge.began(makeOutcome(instance, { status: 0 }))
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds * 10; i++) {
      for (const slot of [0, 2]) service.ask(slot, 200, 0, took)
      service.clock.advance(100)
    }
  }
  return { ...service, judge, instance, pass }
}

test('an instance with many waiting requests that sends nothing, while others do, is ejected as stalled', () => {
  const service = setUpStalled()
  service.pass(1)
  assert.equal(service.ejected(), '...')
  service.pass(1)
  assert.equal(service.ejected(), '.x.')
  service.clock.advance(250)
  assert.match(
    service.said()[0]!,
    /instance is ejected: 5 requests wait for a reply, and nothing came for 1\.\d s while others replied$/,
  )
  assert.deepEqual(service.counted, ['stall'])
})

test('if the others are slow, it has ten times as long', () => {
  const service = setUpStalled(5, 400)
  service.pass(3.5)
  assert.equal(service.ejected(), '...')
  service.pass(1.5)
  assert.equal(service.ejected(), '.x.')
})

test('if its own replies were slow, as with long polling, it has ten times as long', () => {
  const service = setUpStalled(0)
  service.ask(1, 200, 0, 3_000)
  for (let i = 0; i < 8; i++) service.judge.began(makeOutcome(service.instance, { status: 0 }))
  service.pass(25)
  assert.equal(service.ejected(), '...')
  service.pass(8)
  assert.equal(service.ejected(), '.x.')
})

test('reloads, and changes of discovered instances, do not start the observation again', () => {
  const service = setUpStalled()
  for (let i = 0; i < 4; i++) {
    service.pass(0.5)
    service.keep(service.options)
  }
  assert.equal(service.ejected(), '.x.')
})

test('replies of the others before a reload count after it, too', () => {
  const service = setUpStalled()
  service.clock.advance(500)
  service.pass(0.1)
  for (let i = 0; i < 2; i++) {
    service.keep(service.options)
    service.clock.advance(1_000)
  }
  assert.equal(service.ejected(), '.x.')
})

test('an instance that joins or leaves is no reply of another one', () => {
  const { keeper, clock, instances, options, ejected } = setUpStalled()
  for (const present of [instances.slice(0, 2), instances]) {
    clock.advance(5_000)
    keeper.configure([{ name: 'orders', passive: options, instances: present }])
  }
  clock.advance(5_000)
  assert.equal(ejected(), '...')
})

test('a few waiting requests do not count as a stall', () => {
  const service = setUpStalled(4)
  service.pass(60)
  assert.equal(service.ejected(), '...')
})

test('uploads, and streams whose head has arrived, do not count as waiting', () => {
  const service = setUpStalled(0)
  for (let i = 0; i < 100; i++) {
    service.judge.began(makeOutcome(service.instance, { status: 0, streamed: true }))
    service.judge.began(makeOutcome(service.instance, { status: 0 }))
    service.judge.ended(makeOutcome(service.instance, { passing: i % 2 === 0 }))
  }
  service.pass(60)
  assert.equal(service.ejected(), '...')
})

test('if no instance replies, as with long polling, none is stalled', () => {
  const service = setUpStalled()
  service.clock.advance(60_000)
  assert.equal(service.ejected(), '...')
})

test('a reply of the instance proves that it is not stalled', () => {
  const service = setUpStalled(6)
  for (let i = 0; i < 20; i++) {
    service.pass(0.9)
    service.ask(1, 200)
  }
  assert.equal(service.ejected(), '...')
})

test('the first reply of a stalled instance ends its ejection, as does a check', () => {
  const service = setUpStalled()
  service.pass(2)
  assert.equal(service.ejected(), '.x.')
  service.judge.ended(makeOutcome(service.instance))
  assert.equal(service.ejected(), '...')
  service.clock.advance(250)
  assert.match(service.said().at(-1)!, /it has replied$/)
  const other = setUpStalled()
  other.pass(2)
  other.board.ejections.checkPassed(1, other.clock.now())
  other.clock.advance(250)
  assert.equal(other.ejected(), '...')
})

test('waiting requests of a worker that died do not count', () => {
  const service = setUpStalled()
  service.board.forget(0)
  service.pass(5)
  assert.equal(service.ejected(), '...')
})

test('time in which the process was stopped does not count', () => {
  const service = setUpStalled()
  service.pass(0.5)
  // As after SIGSTOP: what came meanwhile has not been read yet.
  const { clock } = service
  const now = clock.now.bind(clock)
  Object.assign(clock, { now: () => now() + 10_000 })
  service.pass(0.9)
  assert.equal(service.ejected(), '...')
})
