import assert from 'node:assert/strict'
import test from 'node:test'
import { ConnectionShares } from './connection-shares.ts'

test('a peer with more than half of all is known for as long as it has that', () => {
  const shares = new ConnectionShares(4)
  for (const peer of ['a', 'b', 'a']) shares.add(peer)
  assert.equal(shares.ofMost, null)
  shares.add('a')
  assert.equal(shares.ofMost, 'a')
  assert.deepEqual([shares.of('a'), shares.of('b'), shares.of('c')], [3, 1, 0])
  shares.delete('b')
  assert.equal(shares.ofMost, 'a')
  shares.delete('a')
  assert.equal(shares.ofMost, null)
  shares.delete('a')
  shares.delete('a')
  assert.equal(shares.of('a'), 0)
})

test('where fewer may be than there are, the peer that has most is the first to make way, and then the next one', () => {
  const shares = new ConnectionShares(100)
  for (const peer of ['a', 'a', 'b', 'b', 'b', 'c']) shares.add(peer)
  assert.equal(shares.ofMost, null)
  shares.allow(2)
  assert.equal(shares.ofMost, 'b')
  shares.delete('b')
  shares.delete('b')
  assert.equal(shares.ofMost, 'a')
  shares.delete('a')
  assert.equal(shares.ofMost, null)
  shares.allow(100)
  for (const peer of ['c', 'c']) shares.add(peer)
  assert.equal(shares.ofMost, null)
})
