import assert from 'node:assert/strict'
import test from 'node:test'
import { policies } from '../policies/index.ts'
import { parseConfig } from './parse.ts'
import { planChanges } from './plan/plan.ts'
import { formatPath } from './problems.ts'
import { restartOnly } from './restart-only.ts'

const changes: readonly (readonly [before: object, after: object, expected: readonly string[]])[] = [
  [{}, {}, []],
  [{}, { workers: 3 }, ['workers']],
  [{}, { workerTimeout: '20s' }, ['workerTimeout']],
  [{}, { memoryLimit: '1gb' }, ['memoryLimit']],
  [{}, { stores: { memory: { entries: 4096 } } }, ['stores.memory.entries']],
  [{}, { admin: { address: '127.0.0.1:9001' } }, ['admin.address']],
  [{}, { admin: false }, ['admin']],
  [{ admin: false }, {}, ['admin']],
  [{}, { admin: { requests: 7 } }, []],
  [{}, { log: { file: 'a.log', level: 'debug' } }, ['log.file']],
  [{}, { limits: { head: '32kb' }, drainTimeout: '1s', routes: [{ id: 'a', match: { path: '/' }, reply: {} }] }, []],
  [{ workers: 2, log: { file: 'a.log' } }, { workers: 'auto' }, ['workers', 'log.file']],
]

for (const [before, after, expected] of changes)
  test(`from ${JSON.stringify(before)} to ${JSON.stringify(after)} a restart is needed for: ${expected.join(', ') || 'nothing'}`, () => {
    const [old, fresh] = [parseConfig(before), parseConfig(after)]
    assert.deepEqual(restartOnly(old, fresh), expected)
    // The plan says the same.
    const side = { chain: policies, folder: '/', code: [], renamed: [] }
    const planned = planChanges({ config: old, ...side }, { config: fresh, ...side }).changes.filter(
      (change) => change.class === 'needs-restart',
    )
    for (const { path } of planned) assert.ok(expected.includes(formatPath(path)), formatPath(path))
    assert.equal(planned.length === 0, expected.length === 0)
  })
