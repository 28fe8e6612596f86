import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import test from 'node:test'
import { Deadlines } from '../http/deadlines.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Arrivals } from './arrivals.ts'

test('a connection that its peer has reset before it is looked at is not refused, as nobody knows whose it was', () => {
  const refused: string[] = []
  const owner = {
    trusts: (peer: string) => peer === '192.0.2.1',
    introduced: () => assert.fail('there is no header'),
    refused: (reason: string, peer: string) => void refused.push(`${reason} ${peer}`),
  }
  const arrivals = new Arrivals(owner, new Deadlines(new ManualClock()))
  const gone = new Socket()
  arrivals.add(gone)
  assert.ok(gone.destroyed)
  assert.deepEqual([refused, arrivals.size], [[], 0])
  const stranger = Object.defineProperty(new Socket(), 'remoteAddress', { value: '198.51.100.7' })
  arrivals.add(stranger)
  assert.ok(stranger.destroyed)
  assert.deepEqual(refused, ['untrusted 198.51.100.7'])
})
