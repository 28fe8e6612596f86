import assert from 'node:assert/strict'
import test from 'node:test'
import { percentile, simulate, type Simulation } from '../../../test/support/simulation.ts'
import { latency } from './latency.ts'
import { leastRequests } from './least-requests.ts'
import { roundRobin } from './round-robin.ts'

/** One of ten instances is ten times slower; 60% of what the other nine can take. */
const oneSlow: Omit<Simulation, 'kind' | 'workers' | 'shared'> = {
  means: Array.from({ length: 10 }, (_, i) => () => (i === 0 ? 100 : 10)),
  slots: 4,
  rate: 2.16,
  duration: 120_000,
  seed: 7,
}

function assertNear(measured: number, expected: number): void {
  assert.ok(
    Math.abs(measured / expected - 1) <= 0.1,
    `${measured.toFixed(1)} ms is not ${expected} ms, give or take 10%`,
  )
}

test('round-robin: requests above the capacity of a slow instance wait without limit', () => {
  const simulated = simulate({ ...oneSlow, kind: roundRobin, workers: 1, shared: true })
  assertNear(percentile(simulated, 0.99), 115_000)
  assertNear(percentile(simulated, 0.5), 7.6)
})

test('least-requests: a slow instance affects few requests, with any number of workers sharing counts', () => {
  for (const workers of [1, 4]) {
    const simulated = simulate({ ...oneSlow, kind: leastRequests, workers, shared: true })
    assertNear(percentile(simulated, 0.99), 61)
    assertNear(percentile(simulated, 0.5), 7.1)
  }
})

test('least-requests: it would be worse if workers counted separately', () => {
  const simulated = simulate({ ...oneSlow, kind: leastRequests, workers: 4, shared: false })
  assertNear(percentile(simulated, 0.99), 80)
})

test('latency: fewer requests are affected than with least-requests, even if workers count separately', () => {
  for (const shared of [true, false]) {
    const simulated = simulate({ ...oneSlow, kind: latency, workers: 4, shared })
    assertNear(percentile(simulated, 0.99), 48)
    assertNear(percentile(simulated, 0.5), 7.4)
  }
})
