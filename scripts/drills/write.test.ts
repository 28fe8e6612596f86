import assert from 'node:assert/strict'
import test from 'node:test'
import { drills } from './cases/index.ts'
import { readOptions } from './options.ts'
import { peers } from './peers/index.ts'
import { merged, type Result } from './results.ts'
import { withTables } from './write.ts'

function result(parts: Partial<Result>): Result {
  return {
    drill: 'reset',
    peer: 'Sallyport',
    version: '1.2.3',
    date: '2026-01-02T03:04:05.000Z',
    short: false,
    skipped: null,
    seconds: 30,
    gets: { sent: 7500, failed: 7, reasons: { 502: 7 } },
    posts: { sent: 750, failed: 1, reasons: { 502: 1 }, twice: 0 },
    p50: 10,
    p99: 50,
    max: 100,
    firstFailure: 0.1,
    lastFailure: 0.2,
    recovery: 0,
    goodput: 149.9,
    late: 2,
    ejections: 1,
    shed: 0,
    ...parts,
  }
}

const page = 'before\n<!-- drills: written by npm run drills, do not edit -->\nold\n<!-- end of the drills -->\nafter\n'
const machine: [string, string][] = [['Memory', '16 GiB']]

test('the tables are put in place, with the goals and whether they are met', () => {
  const results = [
    result({}),
    result({ peer: 'nginx', gets: { sent: 7500, failed: 0, reasons: {} }, ejections: null, shed: null }),
    result({ drill: 'healthy', short: true, late: 150 }),
    result({ drill: 'moved', skipped: 'no such name' }),
  ]
  const text = withTables(page, { machine, results })
  assert.match(text, /^before\n<!-- drills[^]*<!-- end of the drills -->\nafter\n$/)
  assert.doesNotMatch(text, /old/)
  assert.match(text, /\| `reset` \| 7 of 7,500 \| 0 of 7,500 \| met \|/)
  assert.match(text, /\| `healthy` \| 7 of 7,500 \| {2}\| missed \|/)
  assert.match(text, /\| `moved` \| left out \| {2}\| {2}\|/)
  assert.match(
    text,
    /\| Sallyport \| 7 of 7,500 \| 7 × 502 \| 1 of 750 \| 0 \| 10 ms \| 50 ms \| 100 ms \| 0.1 s, 0.2 s \|/,
  )
  assert.match(text, /In the short form \(`--short`\): `healthy` of Sallyport\./)
  assert.match(text, /requests began late: `healthy` of Sallyport\./)
  assert.match(text, /\| nginx \| 1.2.3, on 2026-01-02 \|/)
  assert.throws(() => withTables('nothing', { machine, results }), /to write the tables between/)
})

test('a single POST that is sent twice misses a goal', () => {
  const text = withTables(page, {
    machine,
    results: [result({ posts: { sent: 750, failed: 0, reasons: {}, twice: 1 } })],
  })
  assert.match(text, /\| `reset` \| 7 of 7,500 \| missed \|/)
})

test('a later result replaces the earlier one of the same drill and peer', () => {
  const earlier = [result({ p50: 1 }), result({ peer: 'nginx', p50: 2 }), result({ drill: 'close', p50: 3 })]
  assert.deepEqual(
    merged(earlier, [result({ p50: 4 })]).map(({ p50 }) => p50),
    [2, 3, 4],
  )
})

test('drills and peers are selected by name, and unknown ones are rejected with a list of the known ones', () => {
  const options = readOptions(['--drill', 'Reset,killed', '--peer', 'sallyport'], drills, peers)
  assert.deepEqual(
    options.drills.map(({ name }) => name),
    ['reset', 'killed'],
  )
  assert.deepEqual(
    options.peers.map(({ name }) => name),
    ['Sallyport'],
  )
  assert.throws(() => readOptions(['--peer', 'envoy'], drills, peers), /unknown envoy; there are Sallyport, nginx/)
})
