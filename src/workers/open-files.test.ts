import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../config/parse.ts'
import { createMemoryLogger } from '../telemetry/memory-logger.ts'
import { openFilesNeeded, warnOfOpenFiles } from './open-files.ts'

const config = parseConfig({
  listeners: [{ address: '127.0.0.1:8000' }, { address: '127.0.0.1:8001' }],
  limits: { connections: 1000 },
  services: {
    users: { instances: ['http://a:1', 'http://b:1'], pool: { connections: 10, streams: 5 } },
    orders: { instances: ['http://c:1'], pool: { connections: 20, streams: 0 } },
  },
})

/** As the kernel has it (proc_pid_limits(5)). */
function limits(files: string): string {
  return `Limit                     Soft Limit           Hard Limit           Units
Max processes             96410                96410                processes
Max open files            ${files.padEnd(20)} 524288               files
Max locked memory         8388608              8388608              bytes
`
}

test('every worker needs the connections of each listener and of each instance', () => {
  assert.equal(openFilesNeeded(config, {}, 1), 2 * 1000 + 2 * (10 + 5) + 20 + 200)
  assert.equal(openFilesNeeded(config, {}, 4), 4 * (2 * 1000 + 2 * (10 + 5) + 20) + 200)
})

test('discovered instances count as they were found, and at least one per service', () => {
  const discover = { dns: { name: 'users.internal', port: 80 } }
  const pool = { connections: 10, streams: 5 }
  const found = [1, 2, 3].map((last) => ({
    url: { scheme: 'http' as const, host: `10.0.0.${last}`, port: 80 },
    weight: 1,
    zone: null,
  }))
  const discovering = parseConfig({ limits: { connections: 1 }, services: { users: { discover, pool } } })
  for (const [instances, count] of [
    [undefined, 1],
    [[], 1],
    [found, 3],
  ] as const)
    assert.equal(
      openFilesNeeded(discovering, instances === undefined ? {} : { users: instances }, 2),
      2 * (1 + count * 15) + 200,
    )
})

test('a limit that is too low is logged, with what is needed', () => {
  const { log, lines } = createMemoryLogger()
  warnOfOpenFiles(openFilesNeeded(config, {}, 4), log, limits('8399'))
  assert.deepEqual(
    lines.map(({ level, limit, needed }) => ({ level, limit, needed })),
    [{ level: 'warn', limit: 8399, needed: 8400 }],
  )
  assert.match(String(lines[0]?.['message']), /^The limit of open files is too low: raise it/)
})

for (const [what, text] of [
  ['a sufficient limit', limits('8400')],
  ['no limit', limits('unlimited')],
  ['a system that does not report one', null],
] as const) {
  test(`nothing is logged for ${what}`, () => {
    const { log, lines } = createMemoryLogger()
    warnOfOpenFiles(openFilesNeeded(config, {}, 4), log, text)
    assert.deepEqual(lines, [])
  })
}

test('the limit of this process can be read', () => {
  const { log, lines } = createMemoryLogger()
  warnOfOpenFiles(1, log)
  warnOfOpenFiles(Number.MAX_SAFE_INTEGER, log)
  assert.equal(lines.length, process.platform === 'linux' ? 1 : 0)
})
