import assert from 'node:assert/strict'
import test from 'node:test'
import { makeOutcome } from '../../../test/support/outcome.ts'
import { setUpPassive } from '../../../test/support/passive.ts'
import { Candidates } from '../balancers/candidates.ts'

/** Each of the instances replies as well as it can, so many times. */
function well({ ask }: ReturnType<typeof setUpPassive>, slots: readonly number[], times: number): void {
  for (let i = 0; i < times; i++) for (const slot of slots) ask(slot, 200)
}

// In a row

for (const end of [502, 503, 504, 'connect', 'tls', 'timeout', 'closed', 'invalid'] as const)
  test(`five consecutive failures eject an instance: ${end}`, () => {
    const service = setUpPassive({ weights: [1, 1, 1] })
    well(service, [0, 1, 2], 10)
    for (let i = 0; i < 4; i++) service.ask(1, end)
    assert.equal(service.ejected(), '...')
    service.ask(1, end)
    assert.equal(service.ejected(), '.x.')
  })

for (const end of [200, 404, 429, 500, 501, 505, 'busy', 'streams'] as const)
  test(`any number of these in a row ejects no instance: ${end}`, () => {
    const service = setUpPassive({ weights: [1, 1, 1], options: { volume: 1_000 } })
    well(service, [0, 1, 2], 10)
    for (let i = 0; i < 50; i++) service.ask(1, end)
    assert.equal(service.ejected(), '...')
  })

test('without requests to others, consecutive failures do not eject an instance with mostly good replies', () => {
  const service = setUpPassive({ weights: [1, 1] })
  well(service, [1], 200)
  for (let i = 0; i < 20; i++) service.ask(1, 503)
  assert.equal(service.ejected(), '..')
  for (let i = 0; i < 200; i++) service.ask(1, 503)
  assert.equal(service.ejected(), '.x')
})

test('a reply that does not count against the instance ends the sequence', () => {
  const service = setUpPassive({ weights: [1, 1] })
  well(service, [0, 1], 100)
  for (let i = 0; i < 10; i++) {
    for (let j = 0; j < 4; j++) service.ask(1, 503)
    service.ask(1, 200)
    well(service, [0, 1], 4)
  }
  assert.equal(service.ejected(), '..')
})

test('workers share the count of consecutive failures, and each can eject', () => {
  const service = setUpPassive({ weights: [1, 1], workers: 4 })
  for (let worker = 0; worker < 4; worker++) service.ask(0, 200, worker)
  for (let worker = 0; worker < 4; worker++) service.ask(1, 'closed', worker)
  for (let i = 0; i < 4; i++) service.ask(0, 200, i)
  service.ask(1, 'closed', 2)
  assert.equal(service.ejected(), '.x')
})

test('disconnects of clients and stale idle connections do not count as failures', () => {
  const service = setUpPassive({ weights: [1, 1] })
  well(service, [0, 1], 10)
  const [judge, instance] = [service.judges[0]!, service.instances[1]!]
  for (let i = 0; i < 30; i++) {
    judge.ended(makeOutcome(instance, { status: 0, fault: 'client' }))
    judge.ended(makeOutcome(instance, { status: 0, reason: 'closed', fault: 'connection' }))
    judge.brokeOff(makeOutcome(instance, { fault: 'client' }))
  }
  assert.equal(service.ejected(), '..')
})

test('incomplete replies count as failures, and streamed ones not until they end', () => {
  const service = setUpPassive({ weights: [1, 1] })
  well(service, [0, 1], 20)
  const [judge, instance] = [service.judges[0]!, service.instances[1]!]
  for (let i = 0; i < 5; i++) {
    assert.equal(service.ejected(), '..')
    judge.ended(makeOutcome(instance, { passing: true }))
    judge.brokeOff(makeOutcome(instance, { reason: 'closed', fault: 'instance' }))
  }
  assert.equal(service.ejected(), '.x')
})

test('a completed body ends the sequence', () => {
  const service = setUpPassive({ weights: [1, 1] })
  well(service, [0, 1], 100)
  const [judge, instance] = [service.judges[0]!, service.instances[1]!]
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j < 3; j++) service.ask(1, 'closed')
    judge.ended(makeOutcome(instance, { passing: true }))
    judge.passed(makeOutcome(instance))
    well(service, [0, 1], 3)
  }
  assert.equal(service.ejected(), '..')
})

// Rate

test('ten failures of twenty requests eject an instance, including 500s', () => {
  const service = setUpPassive({ weights: [1, 1, 1] })
  well(service, [0, 2], 20)
  for (let i = 0; i < 19; i++) service.ask(1, i % 2 === 0 ? 500 : 200)
  assert.equal(service.ejected(), '...')
  service.ask(1, 500)
  assert.equal(service.ejected(), '.x.')
})

test('recent requests are sufficient, however good earlier ones were', () => {
  const service = setUpPassive({ weights: [1, 1, 1], workers: 2 })
  for (let i = 0; i < 400; i++) {
    well(service, [0, 1, 2], 1)
    service.clock.advance(20)
  }
  // Half of fifty in a second.
  let requests = 0
  for (; service.ejected() === '...'; requests++) {
    assert.ok(requests < 120)
    well(service, [0, 2], 1)
    service.ask(1, requests % 2 === 0 ? 500 : 200, requests % 2)
    service.clock.advance(20)
  }
  assert.equal(service.ejected(), '.x.')
})

test('a service that starts to fail as a whole has no instance ejected', () => {
  const service = setUpPassive({ weights: [1, 1, 1] })
  for (let i = 0; i < 400; i++) {
    well(service, [0, 1, 2], 1)
    service.clock.advance(20)
  }
  for (let i = 0; i < 1_000; i++) {
    for (const slot of [0, 1, 2]) service.ask(slot, (i + slot) % 2 === 0 ? 500 : 200)
    service.clock.advance(20)
  }
  assert.equal(service.ejected(), '...')
})

test('results older than the window do not count', () => {
  const service = setUpPassive({ weights: [1, 1] })
  for (let i = 0; i < 40; i++) {
    well(service, [0], 1)
    service.ask(1, 500)
    // 10 s have room for ten of them.
    service.clock.advance(1_000)
  }
  assert.equal(service.ejected(), '..')
})

test('if all instances fail none is ejected', () => {
  for (const end of [503, 500, 'connect'] as const) {
    const service = setUpPassive({ weights: [1, 1, 1, 1] })
    for (let i = 0; i < 200; i++) for (let slot = 0; slot < 4; slot++) service.ask(slot, i % 2 === 0 ? end : 200)
    for (let i = 0; i < 200; i++) for (let slot = 0; slot < 4; slot++) service.ask(slot, end)
    assert.equal(service.ejected(), '....')
  }
})

test('an instance that fails somewhat more often than the others is not ejected', () => {
  const service = setUpPassive({ weights: [1, 1, 1] })
  for (let i = 0; i < 300; i++) {
    service.ask(0, i % 3 === 0 ? 500 : 200)
    service.ask(2, i % 3 === 0 ? 500 : 200)
    service.ask(1, i % 3 === 0 ? 200 : 500)
  }
  assert.equal(service.ejected(), '...')
})

test('failures caused by one client at every instance eject none', () => {
  // Ten times as many as of all other clients, wherever the balancer sends them.
  const service = setUpPassive({ weights: [1, 1, 1] })
  for (let i = 0; i < 3_000; i++) {
    service.ask(i % 3, ([502, 504, 'closed', 'timeout'] as const)[i % 4]!)
    if (i % 10 === 0) service.ask((i / 10) % 3, 200)
  }
  assert.equal(service.ejected(), '...')
})

test('failures caused by a bound client can eject its instance and the next, but not most of them', () => {
  const service = setUpPassive({ weights: [1, 1, 1, 1] })
  for (let i = 0; i < 400; i++) {
    well(service, [0, 1, 2, 3], 1)
    const target = [0, 1, 2, 3].find((slot) => service.ejected()[slot] === '.')!
    for (let j = 0; j < 6; j++) service.ask(target, 'closed')
  }
  assert.equal(service.ejected(), 'xx..')
})

// How many

test('the maximum is rounded down, but at least one of two', () => {
  for (const [count, most, expected] of [
    [1, 0.5, 0],
    [2, 0.5, 1],
    [3, 0.5, 1],
    [4, 0.5, 2],
    [5, 0.2, 1],
    [5, 1, 4],
    [10, 0.29, 2],
    [100, 0.29, 29],
  ] as const) {
    const service = setUpPassive({ weights: Array.from({ length: count }, () => 1), options: { most } })
    for (let slot = 0; slot < count; slot++) {
      // One after the other, so that none of the others fails at the time.
      for (let other = slot; other < count; other++) for (let i = 0; i < 30; i++) service.ask(other, 200)
      for (let i = 0; i < 5; i++) service.ask(slot, 503)
    }
    assert.equal(service.ejected().replaceAll('.', '').length, expected, `${most * 100}% of ${count}`)
  }
})

test('the last usable instance is never ejected', () => {
  const service = setUpPassive({ weights: [1, 1, 1, 0], options: { most: 1 } })
  service.board.set(0, 'unhealthy')
  service.board.drain(2, true)
  for (let i = 0; i < 100; i++) service.ask(1, 503)
  assert.equal(service.ejected(), '....')
})

test('if nothing else is left, ejected instances are used', () => {
  const service = setUpPassive({ weights: [1, 1, 1] })
  const candidates = new Candidates(service.instances, service.board)
  const picked = () => candidates.current().map(({ slot }) => slot)
  well(service, [0, 2], 5)
  for (let i = 0; i < 5; i++) service.ask(1, 503)
  assert.deepEqual(picked(), [0, 2])
  service.board.set(0, 'unhealthy')
  assert.deepEqual(picked(), [2])
  service.board.drain(2, true)
  assert.deepEqual(picked(), [1])
  service.board.set(1, 'unhealthy')
  assert.deepEqual(picked(), [])
})
