import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillRandomly } from './random-bytes.ts'

test('no bytes are handed out twice, whatever the sizes of the buffers', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.alloc(16 + (i % 300))
    fillRandomly(bytes)
    for (const at of [0, bytes.length - 8]) {
      const part = bytes.toString('hex', at, at + 8)
      assert.equal(seen.has(part), false)
      seen.add(part)
    }
  }
})

test('a buffer of the largest size is filled to its end', () => {
  const bytes = Buffer.alloc(32_768)
  fillRandomly(bytes)
  // The probability that 64 random bytes are all zero is negligible.
  assert.notDeepEqual(bytes.subarray(-64), Buffer.alloc(64))
})
