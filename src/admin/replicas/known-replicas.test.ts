import assert from 'node:assert/strict'
import test from 'node:test'
import type { ReplicaDescription } from '../../runtime/operations/describe.ts'
import { KnownReplicas } from './known-replicas.ts'

const MINUTE = 60_000

function replica(id: string, name = id, startedAt = 0): ReplicaDescription {
  return { id, name, version: '1.0.0', startedAt, readiness: 'ready', revision: 'r', since: 0, publicUrl: null }
}

const report = (known: KnownReplicas, answering: readonly ReplicaDescription[], now: number) =>
  known.note(answering, now).map(({ description: { id }, answers, lastSeen }) => [id, answers, lastSeen])

test('a silent gateway is listed with when it was last seen for a quarter of an hour', () => {
  const known = new KnownReplicas()
  const [a, b, c] = [replica('a'), replica('b'), replica('c')]
  report(known, [a, b, c], 0)
  assert.deepEqual(report(known, [a, c], MINUTE), [
    ['a', true, MINUTE],
    ['c', true, MINUTE],
    ['b', false, 0],
  ])
  assert.deepEqual(report(known, [a], 15 * MINUTE - 1), [
    ['a', true, 15 * MINUTE - 1],
    ['c', false, MINUTE],
    ['b', false, 0],
  ])
  assert.deepEqual(report(known, [b], 15 * MINUTE), [
    ['b', true, 15 * MINUTE],
    ['a', false, 15 * MINUTE - 1],
    ['c', false, MINUTE],
  ])
  assert.deepEqual(report(known, [a], 16 * MINUTE), [
    ['a', true, 16 * MINUTE],
    ['b', false, 15 * MINUTE],
  ])
})

test('a restarted process replaces the old one of the same name', () => {
  const known = new KnownReplicas()
  report(known, [replica('a'), replica('old', 'pod:1')], 0)
  assert.deepEqual(report(known, [replica('a'), replica('new', 'pod:1', 500)], 1000), [
    ['a', true, 1000],
    ['new', true, 1000],
  ])
})

test('two gateways in one process are listed separately', () => {
  const known = new KnownReplicas()
  assert.equal(known.note([replica('a', 'host:1'), replica('b', 'host:1')], 0).length, 2)
})

test('at most 200 replicas are kept', () => {
  const known = new KnownReplicas()
  for (let i = 0; i < 500; i++) known.note([replica(`r${i}`)], i)
  const all = known.note([replica('r499')], 500)
  assert.equal(all.length, 200)
  assert.equal(all[1]?.description.id, 'r498')
})
