import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Headers } from '../../http/headers.ts'
import type { Exchange } from '../../http/exchange.ts'
import { HealthBoard } from '../health/board.ts'
import type { Instance } from '../instance.ts'
import { Candidates } from './candidates.ts'
import { hash, type HashOptions } from './hash.ts'

type Load = Instance & { inFlight: number }

function setUp(hosts: readonly string[], by: HashOptions['by'] = { header: 'X-Key' }, weights: readonly number[] = []) {
  const board = HealthBoard.create(hosts.length)
  const instances = hosts.map((host, slot): Load => ({
    address: `${host}:80`,
    host,
    port: 80,
    slot,
    weight: weights[slot] ?? 1,
    inFlight: 0,
  }))
  const tools = { clock: new ManualClock(), random: () => 0 }
  const balancer = hash({ by }).create(new Candidates(instances, board), tools, null)
  const pick = (parts: Partial<Exchange> = {}, tried: readonly Load[] | null = null) =>
    balancer.pick(makeExchange(parts), tried)
  const pickFor = (key: string, tried: readonly Load[] | null = null) =>
    pick({ headers: Headers.of([['X-Key', key]]) }, tried)
  return { board, instances, pick, pickFor }
}

const HOSTS = Array.from({ length: 10 }, (_, i) => `instance-${i}`)
const KEYS = Array.from({ length: 2_000 }, (_, i) => `key-${i}`)

test('a key leads to the same instance, whatever their order in the configuration', () => {
  const [one, other] = [setUp(HOSTS), setUp(HOSTS.toReversed())]
  for (const key of KEYS) assert.equal(one.pickFor(key)!.host, other.pickFor(key)!.host)
})

test('keys lead to the same instances as in previous versions', () => {
  const { pickFor } = setUp(HOSTS)
  assert.deepEqual(
    ['a', 'b', 'c', 'user-7', ''.padEnd(1000, 'x')].map((key) => pickFor(key)!.host),
    ['instance-9', 'instance-1', 'instance-2', 'instance-3', 'instance-6'],
  )
})

test('when an instance fails only its keys move, and they return with it', () => {
  const { board, instances, pickFor } = setUp(HOSTS)
  const before = KEYS.map((key) => pickFor(key))
  board.set(3, 'unhealthy')
  KEYS.forEach((key, i) => {
    const now = pickFor(key)
    assert.ok(before[i] === instances[3] ? now !== instances[3] : now === before[i])
  })
  board.set(3, 'healthy')
  assert.deepEqual(
    KEYS.map((key) => pickFor(key)),
    before,
  )
})

test('a new instance takes its share of the keys, and no others move', () => {
  const [few, more] = [setUp(HOSTS), setUp([...HOSTS, 'new'])]
  const moved = KEYS.filter((key) => few.pickFor(key)!.host !== more.pickFor(key)!.host)
  assert.ok(moved.every((key) => more.pickFor(key)!.host === 'new'))
  assert.ok(Math.abs(moved.length / KEYS.length - 1 / 11) < 0.02, `${moved.length} of ${KEYS.length}`)
})

test('an instance with twice the weight has twice the keys', () => {
  const { pickFor } = setUp(['a', 'b', 'c'], { header: 'X-Key' }, [2, 1, 1])
  const ofFirst = KEYS.filter((key) => pickFor(key)!.host === 'a').length
  assert.ok(Math.abs(ofFirst / KEYS.length - 0.5) < 0.04, `${ofFirst}`)
})

test('a key moves while its instance has more than 1.25 times its share of requests', () => {
  const { instances, pickFor } = setUp(HOSTS)
  const own = pickFor('a')!
  for (const instance of instances) instance.inFlight = 79
  own.inFlight = 102
  assert.notEqual(pickFor('a'), own, 'its share of 814 requests is 81.4, and its limit 102')
  own.inFlight = 101
  assert.equal(pickFor('a'), own)
})

test('a few concurrent requests go to the same instance whatever the load of others', () => {
  const { pickFor } = setUp(HOSTS)
  const own = pickFor('a')!
  for (; own.inFlight < 8; own.inFlight++) assert.equal(pickFor('a'), own)
  assert.notEqual(pickFor('a'), own)
})

test('even with a single key no instance exceeds its share', () => {
  const { instances, pickFor } = setUp(HOSTS)
  for (let i = 0; i < 1_000; i++) pickFor('hot')!.inFlight++
  for (const { inFlight } of instances) assert.ok(inFlight <= 125, `${inFlight}`)
})

test('property: an instance is found for any load, one with room if there is one', () => {
  const cell = fc.record({ inFlight: fc.nat(100), tried: fc.boolean(), weight: fc.integer({ min: 1, max: 5 }) })
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 8 }), fc.string(), (cells, key) => {
      const weights = cells.map(({ weight }) => weight)
      const { instances, pick } = setUp(HOSTS.slice(0, cells.length), 'ip', weights)
      cells.forEach(({ inFlight }, i) => (instances[i]!.inFlight = inFlight))
      const tried = instances.filter((_, i) => cells[i]!.tried)
      const picked = pick({ client: { ...makeExchange().client, address: key } }, tried)
      if (tried.length === instances.length) return assert.equal(picked, null)
      assert.ok(picked !== null && !tried.includes(picked))
      const total = cells.reduce((sum, { inFlight }) => sum + inFlight, 1)
      const all = weights.reduce((sum, weight) => sum + weight, 0)
      const hasRoom = ({ inFlight, weight }: Load): boolean =>
        inFlight < 8 || inFlight + 1 <= Math.ceil((1.25 * total * weight) / all)
      const free = instances.filter((instance) => !tried.includes(instance) && hasRoom(instance))
      assert.ok(free.length === 0 || free.includes(picked))
    }),
  )
})

test('a retry goes to another instance, the same one for each retry of the key', () => {
  const { pickFor } = setUp(HOSTS)
  const own = pickFor('a')!
  const second = pickFor('a', [own])
  assert.notEqual(second, own)
  assert.equal(pickFor('a', [own]), second)
})

const client = { ...makeExchange().client, address: '192.0.2.9' }
const consumer = { id: '7', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {} }
const cookies = (value: string) => ({ headers: Headers.of([['Cookie', value]]) })

for (const [what, by, same, others] of [
  ['address', 'ip', [{ client }, { client, query: '?a' }], [{}]],
  ['consumer', 'consumer', [{ consumer }, { consumer, client }], [{}]],
  ['the address if there is no consumer', 'consumer', [{ client }, { client, query: '?a' }], [{}]],
  ['cookie', { cookie: 'sid' }, [cookies('sid=a'), cookies('b=1; sid=a')], [cookies('sid=b'), cookies('sid=c')]],
  ['query parameter', { query: 'k' }, [{ query: '?k=a%20b' }, { query: '?x=1&k=a+b' }], [{ query: '?k=b' }]],
] as const)
  test(`the key is ${what}`, () => {
    const { pick } = setUp(
      Array.from({ length: 1_000 }, (_, i) => `instance-${i}`),
      by,
    )
    const [first, second] = same.map((parts) => pick(parts))
    assert.equal(first, second)
    for (const other of others) assert.notEqual(pick(other), first)
  })

test('requests without the key are distributed round-robin', () => {
  for (const by of [{ header: 'X-Key' }, { cookie: 'sid' }, { query: 'k' }] as const) {
    const { pick } = setUp(['a', 'b', 'c'], by)
    const parts = { headers: Headers.of([['X-Key', '']]), query: '?k=' }
    assert.deepEqual(
      Array.from({ length: 4 }, () => pick(parts)?.host),
      ['a', 'b', 'c', 'a'],
    )
  }
})
