import assert from 'node:assert/strict'
import test from 'node:test'
import { PasswordQueue } from './password-queue.ts'

/** Work that ends when the test says so. */
function makeWork() {
  const waiting: (() => void)[] = []
  const work = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(resolve)
    return promise
  }
  return { work, waiting }
}

test('passwords are verified one at a time, and others wait', async () => {
  const turns = new PasswordQueue()
  const { work, waiting } = makeWork()
  const first = turns.take('192.0.2.1', work)
  const second = turns.take('192.0.2.2', work)
  await Promise.resolve()
  assert.equal(waiting.length, 1)
  waiting[0]?.()
  await first
  await new Promise(setImmediate)
  assert.equal(waiting.length, 2)
  waiting[1]?.()
  await second
})

test('the places of one address are limited, and freed afterwards', async () => {
  const turns = new PasswordQueue()
  const { work, waiting } = makeWork()
  const taken = Array.from({ length: 8 }, () => turns.take('192.0.2.1', work))
  assert.throws(() => turns.take('192.0.2.1', work), { code: 'too-busy' })
  const other = turns.take('192.0.2.2', work)
  for (let i = 0; i < 9; i++) {
    while (waiting.length <= i) await new Promise(setImmediate)
    waiting[i]?.()
  }
  await Promise.all([...taken, other])
  const again = turns.take('192.0.2.1', work)
  while (waiting.length <= 9) await new Promise(setImmediate)
  waiting[9]?.()
  await again
})

test('addresses of one IPv6 /64 network share their places', () => {
  const turns = new PasswordQueue()
  const { work } = makeWork()
  for (let i = 1; i <= 8; i++) void turns.take(`2001:db8::${i}`, work)
  assert.throws(() => turns.take('2001:db8::9', work), { code: 'too-busy' })
  void turns.take('2001:db8:0:1::1', work)
})

test('the number of places is limited in total', () => {
  const turns = new PasswordQueue()
  const { work } = makeWork()
  for (let i = 0; i < 64; i++) void turns.take(`192.0.2.${i}`, work)
  assert.throws(() => turns.take('192.0.2.99', work), { code: 'too-busy', headers: [['Retry-After', '1']] })
})
