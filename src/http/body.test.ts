import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { PushedBody } from '../../test/support/bodies.ts'
import { Budget, Bytes, collect, HEAD_ROOM } from './body.ts'
import { GatewayError } from '../core/errors.ts'

const refused = (code: string) => (error: unknown) => error instanceof GatewayError && error.code === code

test('addresses of an IPv6 /64 network share one budget, and IPv4 addresses have their own', () => {
  const budget = new Budget(40)
  assert.ok(budget.take(20, '2001:db8:0:1::1'))
  assert.equal(budget.take(1, '2001:db8:0:1:2:3:4:5'), false)
  assert.ok(budget.take(10, '::ffff:192.0.2.1') && budget.take(5, '::ffff:192.0.2.2'))
  budget.giveBack(20, '2001:db8:0:1::ffff')
  assert.ok(budget.take(1, '2001:db8:0:1:2:3:4:5'))
})

test('concurrent bodies share a budget, and return their share at the end', async () => {
  const budget = new Budget(20)
  const ended = new PushedBody(-1)
  const failed = new PushedBody(-1)
  const long = new PushedBody(-1)
  const results = [ended, failed, long].map((body) => collect(body, 7, 'a client', budget))
  const settled = Promise.allSettled(results)
  assert.ok(ended.push('1234') && failed.push('1234') && long.push('12'))
  const late = new PushedBody(-1)
  const collecting = collect(late, 7, 'a client', budget)
  assert.equal(late.push('1'), false)
  assert.ok(late.cancelled)
  await assert.rejects(collecting, refused('too-busy'))
  ended.end()
  failed.sink!.fail(new Error('gone'))
  assert.equal(long.push('123456'), false)
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  await assert.rejects(results[2]!, refused('content-too-large'))
  assert.equal(budget.free, 20)
})

test('a body that arrives byte by byte costs about as much of the budget as one in a single piece', async () => {
  const body = new PushedBody(-1)
  const budget = new Budget(4000)
  const collecting = collect(body, 1200, 'a client', budget)
  for (let i = 0; i < 1000; i++) assert.ok(body.push(String(i % 10)))
  assert.ok(budget.free < 3001)
  body.end()
  assert.equal((await collecting).toLatin1(), '0123456789'.repeat(100))
  assert.equal(budget.free, 4000)
})

test('a client that takes all it can leaves the same amount for the next one', () => {
  const budget = new Budget(120)
  for (const [client, expected] of [
    ['a', 60],
    ['b', 30],
    ['c', 15],
  ] as const) {
    let taken = 0
    while (budget.take(1, client)) taken++
    assert.equal(taken, expected)
  }
  assert.equal(budget.free, 15)
  budget.giveBack(60, 'a')
  assert.ok(budget.take(30, 'c'), 'the capacity that one returns is available to others')
  assert.ok(!budget.take(31, 'b'))
})

const share = fc.record({ client: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.nat(40), gives: fc.boolean() })

test('property: the rest of the budget is always consistent, and everything is returned', () => {
  fc.assert(
    fc.property(fc.array(share), (acts) => {
      const budget = new Budget(100)
      const held = new Map<string, number>()
      for (const { client, bytes, gives } of acts) {
        const own = held.get(client) ?? 0
        if (gives) {
          budget.giveBack(Math.min(own, bytes), client)
          held.set(client, own - Math.min(own, bytes))
        } else if (budget.take(bytes, client)) {
          held.set(client, own + bytes)
          assert.ok(bytes === 0 || own + bytes <= budget.free)
        }
      }
      for (const [client, bytes] of held) budget.giveBack(bytes, client)
      assert.equal(budget.free, 100)
    }),
  )
})

test('a body with room in front is sent in one piece with each head, and stays unchanged for readers', () => {
  const whole = Buffer.alloc(HEAD_ROOM + 5)
  whole.write('hello', HEAD_ROOM)
  const body = Bytes.withRoom(whole)
  assert.deepEqual([body.length, body.toText(), body.hasRoom], [5, 'hello', true])
  const first = body.behind('one: ')
  assert.equal(first?.toString(), 'one: hello')
  body.leave()
  const second = body.behind('another: \xe4 ')
  assert.equal(second?.toString('latin1'), 'another: \xe4 hello')
  assert.equal(first?.toString(), 'one: hello')
  assert.equal(body.toLatin1(), 'hello')
  assert.equal(body.behind('x'.repeat(HEAD_ROOM + 1)), null)
  assert.equal(Bytes.fromText('a').behind('x'), null)
})
