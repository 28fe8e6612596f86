import assert from 'node:assert/strict'
import test from 'node:test'
import { stop } from '../../bench/children.ts'
import { cleanUp } from '../../test/support/cleanup.ts'
import { temporaryFolder } from '../../test/support/balancers.ts'
import { flood } from './flood.ts'
import { startTarget } from './gateway.ts'

test('a flood over a real socket comes to an end, and its cost and effect on another client are measured', async (t) => {
  const target = await startTarget(await temporaryFolder(t))
  cleanUp(t, () => stop(target.child))
  const { after, rounds, cpu, before, during } = await flood(target, 'PING')
  assert.ok(after !== null, 'it keeps going')
  assert.ok(rounds > 900)
  assert.ok(cpu > 0)
  assert.ok(before.length > 0 && during.length > 0)
})
