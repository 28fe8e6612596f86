import assert from 'node:assert/strict'
import test from 'node:test'
import { FairQueue } from './fair-queue.ts'

function fill(...texts: string[]) {
  const list = new FairQueue<{ client: string; text: string }>()
  const all = texts.map((text) => ({ client: text[0]!, text }))
  for (const each of all) list.add(each)
  return { list, all }
}

test('clients take turns, and requests of each client stay in order', () => {
  const { list } = fill('a1', 'a2', 'a3', 'b1', 'c1', 'b2')
  const order: (string | undefined)[] = []
  for (let i = 0; i < 7; i++) order.push(list.next()?.text)
  assert.deepEqual(order, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', undefined])
  assert.equal(list.size, 0)
})

test('a deleted entry is not called', () => {
  const { list, all } = fill('a1', 'a2', 'b1')
  list.delete(all[0]!)
  list.delete(all[2]!)
  list.delete(all[2]!)
  assert.equal(list.size, 1)
  assert.equal(list.next()?.text, 'a2')
})

test('the last request of a client above its share is found, but not for that client itself', () => {
  const { list } = fill('a1', 'b1', 'a2', 'a3')
  assert.equal(list.lastBeyond(2, 'c')?.text, 'a3')
  assert.equal(list.lastBeyond(2, 'a'), undefined)
  assert.equal(list.lastBeyond(3, 'c'), undefined)
})

test('all addresses of an IPv6 /64 network are one client, and a request of one of them can be taken', () => {
  const list = new FairQueue<{ client: string }>()
  const all = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '192.0.2.1'].map((client) => ({ client }))
  for (const each of all) list.add(each)
  assert.equal(list.lastBeyond(2, '192.0.2.1')?.client, '2001:db8::3')
  assert.equal(list.lastBeyond(2, '2001:db8::4'), undefined)
  assert.equal(list.nextOf('2001:db8::2')?.client, '2001:db8::2')
  assert.equal(list.nextOf('2001:db8::2'), undefined)
  assert.deepEqual(
    [list.next(), list.next(), list.next()].map((each) => each?.client),
    ['2001:db8::1', '192.0.2.1', '2001:db8::3'],
  )
})
