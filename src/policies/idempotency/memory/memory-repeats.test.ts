import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../../../testing/manual-clock.ts'
import type { StoredReply } from '../store.ts'
import { LEASE, SPENT_SIZE } from '../store.ts'
import { MemoryRepeats } from './memory-repeats.ts'

const TTL = 3_600_000
const PLENTY = 1_000_000

/** A reply of so many bytes in all. */
function replyOf(bytes: number): StoredReply {
  return { status: 200, fields: '', body: new Uint8Array(bytes - SPENT_SIZE), digest: '' }
}

class Client {
  private readonly repeats: MemoryRepeats
  private readonly name: string

  constructor(repeats: MemoryRepeats, name: string) {
    this.repeats = repeats
    this.name = name
  }

  held(id: string) {
    return { place: { client: this.name, id }, token: `${this.name} ${id}` }
  }

  claim(id: string) {
    return this.repeats.claim({ ...this.held(id), head: 'h', ttl: TTL, forward: false })
  }

  done(id: string, bytes: number, perClient = PLENTY): void {
    assert.deepEqual(this.claim(id), { is: 'claimed' })
    this.repeats.keep(this.held(id), replyOf(bytes), perClient)
  }

  /** How its keys stand. */
  states(...ids: string[]): (string | undefined)[] {
    return ids.map((id) => {
      const is = this.claim(id)?.is
      if (is === 'claimed') this.repeats.release(this.held(id))
      return is
    })
  }
}

function start(limit: number) {
  const clock = new ManualClock()
  const repeats = new MemoryRepeats(clock, limit)
  return { clock, repeats, of: (name: string) => new Client(repeats, name) }
}

test('the client with the most is evicted first, and cannot evict others', () => {
  const { repeats, of } = start(20_000)
  const [small, greedy] = [of('small'), of('greedy')]
  small.done('s', 1000)
  for (let i = 0; i < 100; i++) greedy.done(String(i), 1000)
  assert.deepEqual(small.states('s'), ['stored'])
  assert.deepEqual(greedy.states('0', '99', '98'), ['claimed', 'stored', 'stored'])
  assert.ok(repeats.usage.bytes <= 20_000)
  // If all have about the same, a client that needs more evicts its own.
  const many = Array.from({ length: 15 }, (_, i) => of(`client ${i}`))
  for (const client of many) client.done('c', 1000)
  for (let i = 0; i < 10; i++) greedy.done(`more ${i}`, 1000)
  assert.deepEqual(
    many.flatMap((client) => client.states('c')),
    many.map(() => 'stored'),
  )
})

test('a client that exceeds its share loses its oldest replies', () => {
  const { repeats, of } = start(100_000)
  const client = of('a')
  for (const id of ['1', '2', '3', '4', '5']) client.done(id, 1000, 3000)
  assert.deepEqual(client.states('1', '2', '3', '4', '5'), ['claimed', 'claimed', 'stored', 'stored', 'stored'])
  assert.equal(repeats.evictions, 2)
})

test('a reply larger than the share is not stored, but its key is', () => {
  const { of } = start(100_000)
  const client = of('a')
  client.done('1', 1000, 3000)
  client.done('2', 4000, 3000)
  assert.deepEqual(client.states('1', '2'), ['stored', 'spent'])
})

test('requests in progress are not evicted', () => {
  const { repeats, of } = start(SPENT_SIZE * 3)
  const client = of('a')
  for (const id of ['1', '2', '3']) assert.deepEqual(client.claim(id), { is: 'claimed' })
  assert.equal(of('b').claim('4'), null)
  assert.deepEqual(client.states('1', '2', '3'), ['outstanding', 'outstanding', 'outstanding'])
  repeats.keep(client.held('1'), replyOf(1000), PLENTY)
  assert.deepEqual(client.states('1'), ['spent'])
})

test('keys expire, even those never requested again', () => {
  const { clock, repeats, of } = start(100_000)
  const end = repeats.sweep()
  of('a').done('1', 1000)
  of('b').claim('2')
  clock.advance(LEASE)
  assert.deepEqual(of('b').states('2'), ['spent'])
  assert.deepEqual(repeats.usage, { keys: 2, bytes: 1000 + SPENT_SIZE })
  clock.advance(TTL)
  assert.deepEqual(repeats.usage, { keys: 0, bytes: 0 })
  end()
  assert.equal(clock.pending, 0)
})

test('lowering the memory evicts the oldest at once', () => {
  const { repeats, of } = start(100_000)
  for (let i = 0; i < 10; i++) of('a').done(String(i), 1000)
  repeats.resize(3000)
  assert.deepEqual(repeats.usage, { keys: 3, bytes: 3000 })
  assert.deepEqual(of('a').states('7', '6'), ['stored', 'claimed'])
})

test('property: usage stays within the limit, and is the sum of the entries', () => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b', 'c'),
    id: fc.constantFrom('1', '2', '3', '4'),
    does: fc.constantFrom('claim', 'keep', 'spend', 'release', 'wait'),
    bytes: fc.integer({ min: SPENT_SIZE, max: 4000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, repeats, of } = start(10_000)
      for (const { client, id, does, bytes } of steps) {
        const each = of(client)
        if (does === 'claim') each.claim(id)
        if (does === 'keep') repeats.keep(each.held(id), replyOf(bytes), 6000)
        if (does === 'spend') repeats.spend(each.held(id), 6000)
        if (does === 'release') repeats.release(each.held(id))
        if (does === 'wait') clock.advance(bytes * 10)
        assert.ok(repeats.usage.bytes <= 10_000)
        assert.ok(repeats.usage.bytes >= repeats.usage.keys * SPENT_SIZE)
      }
      repeats.sweep()
      clock.advance(TTL + 60_000)
      assert.deepEqual(repeats.usage, { keys: 0, bytes: 0 })
    }),
  )
})
