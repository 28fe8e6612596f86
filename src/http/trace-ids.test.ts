import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { newSpanId, newTraceId } from './trace-ids.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

test('ids are lower-case hexadecimal digits and unique', () => {
  const traces = Array.from({ length: 10_000 }, () => newTraceId())
  const spans = Array.from({ length: 10_000 }, () => newSpanId())
  for (const id of traces) assert.match(id, /^[\da-f]{32}$/)
  for (const id of spans) assert.match(id, /^[\da-f]{16}$/)
  assert.equal(new Set([...traces, ...spans]).size, 20_000)
})

test('a kept id does not keep much else in memory', () => {
  const before = heapUsed()
  const stored: string[] = []
  for (let i = 0; i < 1_000_000; i++) {
    const id = newTraceId()
    newSpanId()
    if (i % 1000 === 0) stored.push(id)
  }
  const each = (heapUsed() - before) / stored.length
  assert.ok(each < 8192, `${each} bytes`)
})
