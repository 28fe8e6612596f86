import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { newApiKey } from './new-api-key.ts'

test('a key starts with its prefix, and sha256 is the digest of all of it', () => {
  const { secret, prefix, sha256 } = newApiKey()
  assert.match(secret, /^sp_[0-9a-f]{8}_[\w-]{43}$/)
  assert.equal(secret.slice(0, 11), prefix)
  assert.equal(sha256, createHash('sha256').update(secret).digest('hex'))
})

test('the key is derived from the given randomness only', () => {
  const random = (size: number) => Buffer.alloc(size, 0xab)
  assert.deepEqual(newApiKey(random), newApiKey(random))
  assert.equal(newApiKey(random).prefix, 'sp_abababab')
})

test('keys are unique', () => {
  assert.equal(new Set(Array.from({ length: 1000 }, () => newApiKey().secret)).size, 1000)
})
