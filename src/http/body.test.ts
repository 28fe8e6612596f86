import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { Budget, collect } from './body.ts'
import { GatewayError } from '../core/errors.ts'

const refused = (code: string) => (error: unknown) => error instanceof GatewayError && error.code === code

test('bodies that arrive at the same time share a budget, which each gives back at its end', async () => {
  const budget = new Budget(10)
  const ended = new PushedBody(-1)
  const failed = new PushedBody(-1)
  const long = new PushedBody(-1)
  const results = [ended, failed, long].map((body) => collect(body, 7, budget))
  const settled = Promise.allSettled(results)
  assert.ok(ended.push('1234') && failed.push('1234') && long.push('12'))
  const late = new PushedBody(-1)
  const collecting = collect(late, 7, budget)
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
  assert.ok(budget.take(10))
  assert.ok(!budget.take(1))
})

test('a body that comes octet by octet costs about as much of the budget as one that comes at once', async () => {
  const body = new PushedBody(-1)
  const budget = new Budget(2000)
  const collecting = collect(body, 1200, budget)
  for (let i = 0; i < 1000; i++) assert.ok(body.push(String(i % 10)))
  assert.ok(!budget.take(1001))
  body.end()
  assert.equal((await collecting).toLatin1(), '0123456789'.repeat(100))
  assert.ok(budget.take(2000))
})
