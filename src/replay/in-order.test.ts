import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { InOrder } from './in-order.ts'
import { type LoggedRequest, readLine } from './logged-request.ts'

function request(start: number, line: number): LoggedRequest {
  const read = readLine(
    JSON.stringify({
      timestamp: new Date(start).toISOString(),
      duration_ms: 0,
      status_code: 200,
      method: 'GET',
      url: '/',
      ip_address: '192.0.2.1',
      route: 'a',
      message: 'API Gateway Request',
    }),
    line,
  )
  assert.ok('request' in read)
  return read.request
}

function inOrder(starts: readonly number[], size: number): LoggedRequest[] {
  const ordered = new InOrder(size)
  const out: LoggedRequest[] = []
  for (const [line, start] of starts.entries()) {
    const next = ordered.put(request(start, line))
    if (next !== null) out.push(next)
  }
  for (let next = ordered.take(); next !== null; next = ordered.take()) out.push(next)
  return out
}

const starts = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 60 })

test('property: items within the buffer are sorted by start, and stable', () => {
  fc.assert(
    fc.property(starts, (times) => {
      const expected = times
        .map((start, line) => ({ start, line }))
        .toSorted((a, b) => a.start - b.start || a.line - b.line)
      assert.deepEqual(
        inOrder(times, 60).map(({ start, line }) => ({ start, line })),
        expected,
      )
    }),
  )
})

test('property: with a smaller buffer each item is returned once, sorted if it is not too late', () => {
  fc.assert(
    fc.property(starts, fc.integer({ min: 1, max: 8 }), (delays, size) => {
      const times = delays.map((delay, i) => i * 10 + (delay % (size * 10)))
      const out = inOrder(times, size)
      assert.deepEqual(
        out.map(({ line }) => line).toSorted((a, b) => a - b),
        [...times.keys()],
      )
      assert.ok(out.every(({ start }, i) => i === 0 || start >= out[i - 1]!.start))
    }),
  )
})
