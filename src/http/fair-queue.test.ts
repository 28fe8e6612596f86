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
