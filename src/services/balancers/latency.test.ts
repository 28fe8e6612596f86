import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { makeOutcome } from '../../../test/support/outcome.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import type { Balancer } from './balancer.ts'
import { Candidates } from './candidates.ts'
import { latency } from './latency.ts'

const request = makeExchange()
const left = { status: 0, fault: 'client' } as const

type Load = Instance & { inFlight: number }

function setUp(
  weights: readonly number[],
  hosts = 'abc',
  previous: Balancer<Load> | null = null,
  clock = new ManualClock(),
) {
  const instances = weights.map((weight, slot): Load => {
    const host = hosts[slot]!
    return { address: `${host}:80`, host, port: 80, slot, weight, inFlight: 0 }
  })
  const candidates = new Candidates(instances, HealthBoard.create(weights.length))
  let draw = 0
  const tools = { clock, random: () => (draw++ * 0.37) % 1 }
  const balancer = latency.create(candidates, tools, previous)
  const answered = (at: number, took: number, failed = false): void =>
    balancer.ended!(makeOutcome(instances[at]!, { took, status: failed ? 503 : 200 }))
  /** Which ones are picked at least once. */
  const picks = (): string =>
    [...new Set(Array.from({ length: 50 }, () => balancer.pick(request, null)!.host))].toSorted().join('')
  return { balancer, instances, clock, answered, picks }
}

test('the faster instance is picked', () => {
  const { answered, picks } = setUp([1, 1])
  answered(0, 100)
  answered(1, 10)
  assert.equal(picks(), 'b')
})

test('the latency is multiplied by the requests in flight', () => {
  const { answered, instances, picks } = setUp([1, 1])
  answered(0, 100)
  answered(1, 10)
  instances[1]!.inFlight = 8
  assert.equal(picks(), 'b')
  instances[1]!.inFlight = 10
  assert.equal(picks(), 'a')
})

test('an instance with twice the weight may take twice as long', () => {
  const { answered, picks } = setUp([2, 1])
  answered(0, 19)
  answered(1, 10)
  assert.equal(picks(), 'a')
  const slower = setUp([2, 1])
  slower.answered(0, 21)
  slower.answered(1, 10)
  assert.equal(slower.picks(), 'b')
})

test('a slower reply counts at once, and faster ones gradually', () => {
  const { answered, clock, picks } = setUp([1, 1])
  answered(1, 50)
  answered(0, 10)
  answered(0, 1_000)
  assert.equal(picks(), 'b')
  answered(0, 10)
  assert.equal(picks(), 'b', 'one quick reply proves nothing')
  for (let i = 0; i < 60; i++) {
    clock.advance(1_000)
    answered(0, 10)
    answered(1, 50)
  }
  assert.equal(picks(), 'a')
})

test('an old latency decays, so that a slow instance is tried again', () => {
  const { answered, clock, picks } = setUp([1, 1])
  answered(0, 1_000)
  answered(1, 10)
  for (let i = 0; i < 40; i++) {
    clock.advance(1_000)
    answered(1, 10)
  }
  assert.equal(picks(), 'b')
  for (let i = 0; i < 10; i++) {
    clock.advance(1_000)
    answered(1, 10)
  }
  assert.equal(picks(), 'a')
})

test('an instance that fails fast does not count as fast', () => {
  const { answered, picks } = setUp([1, 1])
  answered(0, 1, true)
  answered(1, 200)
  assert.equal(picks(), 'b')
})

test('disconnects of clients count with their waiting time, but never as faster', () => {
  const { balancer, instances, answered, picks } = setUp([1, 1])
  answered(0, 10)
  answered(1, 20)
  balancer.ended!(makeOutcome(instances[0]!, { ...left, took: 5_000 }))
  assert.equal(picks(), 'b')
  balancer.ended!(makeOutcome(instances[0]!, { ...left, took: 1 }))
  assert.equal(picks(), 'b')
})

test('a first request that its client gave up counts as slow', () => {
  const { balancer, instances, answered, picks } = setUp([1, 1])
  answered(1, 20)
  balancer.ended!(makeOutcome(instances[0]!, { ...left, took: 1 }))
  assert.equal(picks(), 'ab', 'that is not conclusive yet')
  balancer.ended!(makeOutcome(instances[0]!, { ...left, took: 5_000 }))
  assert.equal(picks(), 'b')
})

test('an instance without replies so far gets no more requests than the others', () => {
  const { answered, instances, picks } = setUp([1, 1])
  answered(0, 10)
  instances[0]!.inFlight = 3
  instances[1]!.inFlight = 2
  assert.equal(picks(), 'b')
  instances[1]!.inFlight = 4
  assert.equal(picks(), 'a')
})

test('latencies survive a change of the configuration', () => {
  const before = setUp([1, 1], 'ab')
  before.answered(0, 10)
  before.answered(1, 100)
  const next = setUp([1, 1], 'ba', before.balancer, before.clock)
  assert.equal(next.picks(), 'a')
  // A reply to a request of the configuration before.
  before.answered(0, 500)
  assert.equal(next.picks(), 'b')
})
