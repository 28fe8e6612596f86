import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { LogLevel } from '../core/logger.ts'
import { GatewayError } from '../core/errors.ts'
import { GrpcCall } from '../grpc/call.ts'
import { Headers, headersFromWire } from '../http/headers.ts'
import { ExchangeRecord } from '../http/record.ts'
import { Trace } from '../http/trace.ts'
import { type AccessLogOptions, createAccessLog } from './access-log.ts'
import { createLineLogger, type LogOutput } from './logger.ts'
import { createMemoryLogger } from './memory-logger.ts'
import { anyCharacter } from '../../test/support/text.ts'

const clock = new ManualClock()

const ALL: AccessLogOptions = { sample: 1, sampleKey: 'key', timings: false, replay: false }

/** An output that keeps lines as they are written. */
function rawOutput(): LogOutput & { text: string } {
  const output = {
    text: '',
    write(line: string) {
      output.text += line
    },
    log: createLineLogger('info', clock, (line) => output.write(line)),
    setLevel() {},
    setFormat() {},
    isForPeople: () => false,
    reopen() {},
    watchLost() {},
    close: () => Promise.resolve(),
  }
  return output
}

test('an exchange is logged as one line with the specified fields', () => {
  const output = createMemoryLogger('info', clock)
  const exchange = makeExchange({
    headers: Headers.of([['user-agent', 'curl/8']]),
    start: 100,
    correlationId: 'c-1',
    trace: new Trace('4bf92f3577b34da6a3ce929d0e0e4736', '', '00f067aa0ba902b7', 1, ''),
    consumer: { id: 'u-1', roles: [], tier: 'authenticated', scopes: [], key: null, claims: {} },
    instance: '10.0.0.7:8001',
  })
  createAccessLog(output, clock, ALL)(exchange, 200, 512, 112.3456)
  assert.deepEqual(output.lines, [
    {
      level: 'info',
      timestamp: '2024-01-15T10:30:00.000Z',
      method: 'GET',
      url: 'http://api.example.com/api/v1/users/7?page=2',
      status_code: 200,
      duration_ms: 12.346,
      user_id: 'u-1',
      correlation_id: 'c-1',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      user_agent: 'curl/8',
      ip_address: '192.0.2.1',
      route: 'users',
      service: 'user-service',
      instance: '10.0.0.7:8001',
      code: null,
      bytes: 512,
      message: 'API Gateway Request',
    },
  ])
})

test('unknown values are null', () => {
  const output = createMemoryLogger('info', clock)
  const route = { id: 'hello', pattern: '/hello', service: null }
  createAccessLog(output, clock, ALL)(makeExchange({ route }), 200, 0, 1)
  const [line] = output.lines
  assert.deepEqual(
    [line?.['user_id'], line?.['user_agent'], line?.['service'], line?.['instance']],
    [null, null, null, null],
  )
})

test('a line begins and ends like every other line of the log', () => {
  const output = rawOutput()
  output.log.info({}, 'Hello')
  createAccessLog(output, clock, ALL)(makeExchange(), 200, 0, 1)
  const [other, access] = output.text.split('\n')
  assert.equal(other, '{"level":"info","timestamp":"2024-01-15T10:30:00.000Z","message":"Hello"}')
  assert.ok(access?.startsWith('{"level":"info","timestamp":"2024-01-15T10:30:00.000Z","method":"GET"'))
  assert.ok(access?.endsWith('"message":"API Gateway Request"}'))
})

for (const [level, written] of Object.entries({ debug: 3, info: 3, warn: 1, error: 1 }))
  test(`at level ${level}, ${written} of three exchanges with status 200, 404 and 502 are written`, () => {
    const output = createMemoryLogger(level as LogLevel, clock)
    const accessLog = createAccessLog(output, clock, ALL)
    for (const status of [200, 404, 502]) accessLog(makeExchange(), status, 0, 1)
    assert.equal(output.lines.length, written)
    assert.deepEqual([output.lines.at(-1)?.['level'], output.lines.at(-1)?.['status_code']], ['error', 502])
  })

test('the level can be changed at runtime', () => {
  const output = createMemoryLogger('warn', clock)
  const accessLog = createAccessLog(output, clock, ALL)
  for (const level of ['info', 'error', 'debug'] as const) {
    accessLog(makeExchange(), 200, 0, 1)
    output.setLevel(level)
  }
  assert.equal(output.lines.length, 1)
})

function traced(traceId: string): Trace {
  return new Trace(traceId, '', '00f067aa0ba902b7', 1, '')
}

/** The lines of exchanges with those statuses and durations in milliseconds. */
function linesOf(options: Partial<AccessLogOptions>, ends: readonly (readonly [status: number, duration: number])[]) {
  const output = createMemoryLogger('info', clock)
  const accessLog = createAccessLog(output, clock, { ...ALL, ...options })
  for (const [status, duration] of ends) accessLog(makeExchange({ trace: traced('0'.repeat(32)) }), status, 0, duration)
  return output.lines.map((line) => [line['level'], line['status_code']])
}

test('sampling leaves out only what is neither an error nor slow', () => {
  const ends = [
    [200, 1],
    [404, 1],
    [502, 1],
    [200, 1000],
  ] as const
  assert.deepEqual(linesOf({ sample: 0.1 }, ends), [['error', 502]])
  assert.deepEqual(linesOf({ sample: 0, slow: 1000 }, ends), [
    ['error', 502],
    ['warn', 200],
  ])
})

/** The traces that are logged of a thousand that a client might have chosen. */
function logged(sampleKey: string): string[] {
  const output = createMemoryLogger('info', clock)
  const accessLog = createAccessLog(output, clock, { ...ALL, sample: 0.5, sampleKey })
  const ids = Array.from({ length: 1000 }, (_, i) => i.toString(16).padStart(32, '0'))
  for (const id of [...ids, ...ids]) accessLog(makeExchange({ trace: traced(id) }), 200, 0, 1)
  return output.lines.map((line) => String(line['trace_id']))
}

test('sampling keeps or drops all requests of a trace, and clients cannot choose which', () => {
  const [one, other] = [logged('one key'), logged('another key')]
  for (const ids of [one, other]) {
    assert.ok(ids.length > 800 && ids.length < 1200, `${ids.length} of 2000`)
    assert.equal(new Set(ids).size * 2, ids.length)
  }
  assert.notDeepEqual(one, other)
})

test('slow requests are logged at level warn, tunnels never', () => {
  assert.deepEqual(
    linesOf({ slow: 1000 }, [
      [200, 999],
      [200, 1000],
      [101, 60_000],
      [500, 5000],
    ]),
    [
      ['info', 200],
      ['warn', 200],
      ['info', 101],
      ['error', 500],
    ],
  )
})

test('routes can be excluded', () => {
  const output = createMemoryLogger('info', clock)
  const accessLog = createAccessLog(output, clock, ALL)
  const route = { id: 'users', pattern: '/users', service: null }
  accessLog(makeExchange({ route: { ...route, logged: false } }), 500, 0, 1)
  assert.deepEqual(output.lines, [])
  accessLog(makeExchange({ route: { ...route, logged: true } }), 200, 0, 1)
  accessLog(makeExchange({ route }), 200, 0, 1)
  assert.equal(output.lines.length, 2)
})

test('the error code is logged', () => {
  const output = createMemoryLogger('info', clock)
  createAccessLog(output, clock, ALL)(makeExchange({ error: new GatewayError('rate-limited') }), 429, 0, 1)
  assert.equal(output.lines[0]?.['code'], 'rate-limited')
})

test('timings are logged for the service, the gateway and each policy', () => {
  const time = new ManualClock()
  const record = new ExchangeRecord(time)
  record.attempt('10.0.0.7:8001')
  time.advance(40)
  record.spent('auth', 1.5)
  record.spent('auth', 0.25)
  const output = createMemoryLogger('info', time)
  const accessLog = createAccessLog(output, time, { ...ALL, timings: true })
  accessLog(makeExchange({ record, serviceTime: 30 }), 200, 0, time.now())
  accessLog(makeExchange(), 200, 0, 1)
  const [reported, untold] = output.lines
  assert.deepEqual(
    [reported?.['service_ms'], reported?.['gateway_ms'], reported?.['attempts'], reported?.['policies_ms']],
    [30, 10, 1, { auth: 1.75 }],
  )
  assert.equal(untold?.['service_ms'], undefined)
})

test('secrets in the query are redacted', () => {
  const output = createMemoryLogger('info', clock)
  createAccessLog(output, clock, ALL)(makeExchange({ query: '?access_token=s3cr3t&page=2' }), 200, 0, 1)
  assert.equal(output.lines[0]?.['url'], 'http://api.example.com/api/v1/users/7?access_token=[redacted]&page=2')
})

test('property: any request is logged as one line of JSON without control characters', () => {
  const anything = fc.string({ unit: anyCharacter, maxLength: 40 })
  fc.assert(
    fc.property(anything, anything, anything, (method, path, other) => {
      const output = rawOutput()
      const headers = headersFromWire(`User-Agent: ${other.replaceAll(/[\r\n]/g, '')}\r\n`)
      const consumer = { id: other, roles: [], tier: 'x', scopes: [], key: null, claims: {} }
      const parts = { method, path, query: `?q=${other}`, headers, consumer, correlationId: other, instance: path }
      createAccessLog(output, clock, ALL)(makeExchange(parts), 200, 0, 1)
      assert.match(output.text, /^[^\p{Cc}\p{Zl}\p{Zp}]*\n$/u)
      const line = JSON.parse(output.text) as Record<string, unknown>
      assert.equal(line['method'], method)
      assert.equal(line['user_id'], other)
      assert.equal(line['message'], 'API Gateway Request')
    }),
  )
})

test('a line fits into one atomic pipe write, however long the request', () => {
  for (const character of ['x', '"', '\\', '\xff']) {
    const output = rawOutput()
    const long = character.repeat(9000)
    const parts = { path: long, headers: headersFromWire(`User-Agent: ${long}\r\n`), correlationId: 'c'.repeat(128) }
    createAccessLog(output, clock, ALL)(makeExchange(parts), 200, 0, 1)
    const size = Buffer.byteLength(output.text)
    assert.ok(size <= 4096, `${size} bytes`)
  }
})

test('the API key of a request is logged by its id, and nothing is logged without a key', () => {
  const consumer = { id: 'alice', roles: [], scopes: [], tier: 'gold', claims: {} }
  const output = createMemoryLogger('info', clock)
  const write = createAccessLog(output, clock, ALL)
  for (const parts of [{ consumer: { ...consumer, key: 'ci "1"' } }, { consumer: { ...consumer, key: null } }, {}])
    write(makeExchange(parts), 200, 0, 1)
  assert.deepEqual(
    output.lines.map((line) => line['api_key']),
    ['ci "1"', undefined, undefined],
  )
})

test('a gRPC call is logged with its status, and at the level that fits it', () => {
  const output = createMemoryLogger('info', clock)
  const write = createAccessLog(output, clock, ALL)
  for (const status of [0, 5, 14]) {
    const grpc = new GrpcCall(Number.POSITIVE_INFINITY)
    grpc.status = status
    write(makeExchange({ grpc }), 200, 0, 1)
  }
  assert.deepEqual(
    output.lines.map(({ level, grpc_status, status_code }) => [level, grpc_status, status_code]),
    [
      ['info', 'OK', 200],
      ['info', 'NOT_FOUND', 200],
      ['error', 'UNAVAILABLE', 200],
    ],
  )
})
