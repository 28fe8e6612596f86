import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Leases } from './leases.ts'
import { type HeldKey, LEASE, type RepeatStore } from './store.ts'

function heldOf(id: string): HeldKey {
  return { place: { client: 'a', id }, token: id }
}

/** A store that can be away. */
function startLeases() {
  const clock = new ManualClock()
  const output: string[] = []
  const state = { away: false }
  const store: RepeatStore = {
    look: () => Promise.resolve(null),
    claim: async () => null,
    renew: async (all) => void output.push(...all.map(({ token }) => `renew ${token}`)),
    keep: async () => true,
    spend: async () => true,
    release: async ({ token }) => {
      if (!state.away) output.push(`release ${token}`)
      return !state.away
    },
  }
  const leases = new Leases(store, clock)
  const pass = async (ms: number): Promise<string[]> => {
    clock.advance(ms)
    await setImmediate()
    return output.splice(0)
  }
  return { clock, leases, state, pass }
}

test('a lease is renewed more than twice before it ends, and without leases nothing runs', async () => {
  const { clock, leases, pass } = startLeases()
  assert.equal(clock.pending, 0)
  const held = heldOf('1')
  leases.hold(held)
  assert.deepEqual(await pass(LEASE - 1), ['renew 1', 'renew 1'])
  leases.releaseSoon(held)
  assert.deepEqual(await pass(LEASE), [])
  assert.equal(clock.pending, 0)
})

test('releases that the store missed are repeated when it is back', async () => {
  const { clock, leases, state, pass } = startLeases()
  state.away = true
  await leases.release(heldOf('1'))
  await leases.release(heldOf('2'))
  assert.deepEqual(await pass(LEASE), [])
  state.away = false
  assert.deepEqual(await pass(LEASE / 3), ['release 1', 'release 2'])
  await pass(LEASE)
  assert.equal(clock.pending, 0)
})

test('after close the leases in use are still renewed', async () => {
  const { clock, leases, pass } = startLeases()
  leases.close()
  const held = heldOf('1')
  leases.hold(held)
  leases.close()
  assert.deepEqual(await pass(LEASE / 3), ['renew 1'])
  leases.releaseSoon(held)
  leases.close()
  assert.equal(clock.pending, 0)
})
