import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type FailingService,
  type FailingServiceResult,
  simulateFailing,
} from '../../../test/support/failing-service.ts'

/** 400 requests a second for a minute, to four instances that are never short of anything. */
const usual = { mean: 10, slots: 16, queue: 1000, rate: 0.4, duration: 60_000 }
const oneFailsHalf = { ...usual, failing: [0.5, 0, 0, 0] }
const oneFailsAFifth = { ...usual, failing: [0.2, 0, 0, 0] }
/** The service itself is sick, and has little room: two instances fewer would be too few. */
const allFailHalf = { ...usual, failing: [0.5, 0.5, 0.5, 0.5], mean: 40, slots: 6, queue: 50 }

const nothing = { passive: false, retry: false }
const ejection = { passive: {}, retry: false }
const retries = { passive: false, retry: {} }
const both = { passive: {}, retry: {} }

/** The mean of several runs: how soon five in a row come about is a matter of chance. */
async function run(
  service: Omit<FailingService, 'settings' | 'seed'>,
  settings: FailingService['settings'],
  runs = 2,
): Promise<FailingServiceResult> {
  const mean = { failed: 0, attempts: 0, ejections: 0 }
  for (let seed = 1; seed <= runs; seed++) {
    const result = await simulateFailing({ ...service, settings, seed })
    mean.failed += result.failed / runs
    mean.attempts += result.attempts / runs
    mean.ejections += result.ejections / runs
  }
  return mean
}

function assertNear(measured: number, expected: number): void {
  assert.ok(Math.abs(measured - expected) <= expected * 0.1, `${measured} is not ${expected}, give or take 10%`)
}

test('one of four fails half of its requests: without measures clients see all failures', async () => {
  assertNear((await run(oneFailsHalf, nothing)).failed, 0.125)
})

test('one of four fails half of its requests: with ejection few are lost', async () => {
  const { failed, ejections } = await run(oneFailsHalf, ejection, 8)
  assertNear(failed, 0.00114)
  assert.equal(ejections, 2)
})

test('one of four fails half of its requests: a retry hides it, and ejection makes retries rare', async () => {
  const alone = await run(oneFailsHalf, retries)
  assert.equal(alone.failed, 0)
  assertNear(alone.attempts - 1, 0.132)
  const together = await run(oneFailsHalf, both)
  assert.equal(together.failed, 0)
  assert.ok(together.attempts < 1.003)
})

test('one of four fails a fifth of its requests: a retry hides it', async () => {
  assertNear((await run(oneFailsAFifth, nothing)).failed, 0.05)
  assert.equal((await run(oneFailsAFifth, retries)).failed, 0)
  assert.equal((await run(oneFailsAFifth, both)).failed, 0)
})

test('all four fail half of their requests: none is ejected, and the result is no worse', async () => {
  const without = await run(allFailHalf, nothing)
  assertNear(without.failed, 0.499)
  assert.deepEqual(await run(allFailHalf, ejection), without)
  const together = await run(allFailHalf, both)
  assert.equal(together.ejections, 0)
  // A fifth of the requests, and ten a second, are sent once more.
  assertNear(together.attempts - 1, 0.225)
  assertNear(together.failed, 0.388)
})
