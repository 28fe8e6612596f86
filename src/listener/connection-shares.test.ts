import assert from 'node:assert/strict'
import test from 'node:test'
import { ConnectionShares } from './connection-shares.ts'

test('a peer with more than half of the connections is known while it has them', () => {
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

test('if the limit is below the current number, the peer with the most is first to give way', () => {
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
