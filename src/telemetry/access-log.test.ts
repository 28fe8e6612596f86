import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import type { LogLevel } from '../core/logger.ts'
import { Headers } from '../core/headers.ts'
import { createAccessLog } from './access-log.ts'
import { createLineLogger, type LogOutput } from './logger.ts'
import { createMemoryLogger } from './memory-logger.ts'

const clock = new ManualClock()

/** An output that keeps lines as they are written. */
function rawOutput(): LogOutput & { text: string } {
  const output = {
    text: '',
    write(line: string) {
      output.text += line
    },
    log: createLineLogger('info', clock, (line) => output.write(line)),
    setLevel() {},
    close: () => Promise.resolve(),
  }
  return output
}

test('one line tells of the exchange, with the fields of the specification', () => {
  const output = createMemoryLogger('info', clock)
  const exchange = makeExchange({
    headers: Headers.of([['user-agent', 'curl/8']]),
    start: 100,
    correlationId: 'c-1',
    consumer: { id: 'u-1', roles: [], tier: 'authenticated', scopes: [], key: null },
    instance: '10.0.0.7:8001',
  })
  createAccessLog(output, clock)(exchange, 200, 512, 112.3456)
  assert.deepEqual(output.lines, [
    {
      level: 'info',
      timestamp: '2024-01-15T10:30:00.000Z',
      method: 'GET',
      url: '/api/v1/users/7?page=2',
      status_code: 200,
      duration_ms: 12.346,
      user_id: 'u-1',
      correlation_id: 'c-1',
      user_agent: 'curl/8',
      ip_address: '192.0.2.1',
      route: 'users',
      service: 'user-service',
      instance: '10.0.0.7:8001',
      bytes: 512,
      message: 'API Gateway Request',
    },
  ])
})

test('what is not known is null', () => {
  const output = createMemoryLogger('info', clock)
  const route = { id: 'hello', pattern: '/hello', service: null }
  createAccessLog(output, clock)(makeExchange({ route }), 200, 0, 1)
  const [line] = output.lines
  assert.deepEqual(
    [line?.['user_id'], line?.['user_agent'], line?.['service'], line?.['instance']],
    [null, null, null, null],
  )
})

test('the line begins and ends like every other line of the log', () => {
  const output = rawOutput()
  output.log.info({}, 'Hello')
  createAccessLog(output, clock)(makeExchange(), 200, 0, 1)
  const [other, access] = output.text.split('\n')
  assert.equal(other, '{"level":"info","timestamp":"2024-01-15T10:30:00.000Z","message":"Hello"}')
  assert.ok(access?.startsWith('{"level":"info","timestamp":"2024-01-15T10:30:00.000Z","method":"GET"'))
  assert.ok(access?.endsWith('"message":"API Gateway Request"}'))
})

for (const [level, written] of Object.entries({ debug: 3, info: 3, warn: 1, error: 1 }))
  test(`at level ${level}, ${written} of three exchanges with status 200, 404 and 502 are written`, () => {
    const output = createMemoryLogger(level as LogLevel, clock)
    const accessLog = createAccessLog(output, clock)
    for (const status of [200, 404, 502]) accessLog(makeExchange(), status, 0, 1)
    assert.equal(output.lines.length, written)
    assert.deepEqual([output.lines.at(-1)?.['level'], output.lines.at(-1)?.['status_code']], ['error', 502])
  })

test('the level may change while the gateway runs', () => {
  const output = createMemoryLogger('warn', clock)
  const accessLog = createAccessLog(output, clock)
  for (const level of ['info', 'error', 'debug'] as const) {
    accessLog(makeExchange(), 200, 0, 1)
    output.setLevel(level)
  }
  assert.equal(output.lines.length, 1)
})

test('secrets in the query are redacted', () => {
  const output = createMemoryLogger('info', clock)
  createAccessLog(output, clock)(makeExchange({ query: '?access_token=s3cr3t&page=2' }), 200, 0, 1)
  assert.equal(output.lines[0]?.['url'], '/api/v1/users/7?access_token=[redacted]&page=2')
})

test('whatever a client sends, the log has one line of JSON for it, without control characters', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(anything, anything, anything, (method, path, other) => {
      const output = rawOutput()
      const headers = Headers.fromWire(`User-Agent: ${other.replaceAll(/[\r\n]/g, '')}\r\n`)
      const consumer = { id: other, roles: [], tier: 'x', scopes: [], key: null }
      const parts = { method, path, query: `?q=${other}`, headers, consumer, correlationId: other, instance: path }
      createAccessLog(output, clock)(makeExchange(parts), 200, 0, 1)
      assert.match(output.text, /^[^\p{Cc}\p{Zl}\p{Zp}]*\n$/u)
      const line = JSON.parse(output.text) as Record<string, unknown>
      assert.equal(line['method'], method)
      assert.equal(line['user_id'], other)
      assert.equal(line['message'], 'API Gateway Request')
    }),
  )
})

test('a line fits into what a pipe takes in one piece, however long the request', () => {
  for (const character of ['x', '"', '\\', '\xff']) {
    const output = rawOutput()
    const long = character.repeat(9000)
    const parts = { path: long, headers: Headers.fromWire(`User-Agent: ${long}\r\n`), correlationId: 'c'.repeat(128) }
    createAccessLog(output, clock)(makeExchange(parts), 200, 0, 1)
    const size = Buffer.byteLength(output.text)
    assert.ok(size <= 4096, `${size} bytes`)
  }
})
