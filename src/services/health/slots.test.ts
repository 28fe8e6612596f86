import assert from 'node:assert/strict'
import test from 'node:test'
import { HealthBoard } from './board.ts'
import { SlotRegistry, type Addressed } from './slots.ts'

function service(...ports: number[]): Addressed {
  return { instances: ports.map((port) => ({ url: { host: '127.0.0.1', port } })) }
}

test('every instance gets a slot of its own, in the order of the configuration', () => {
  const table = new SlotRegistry(HealthBoard.create(8)).allot({ users: service(1, 2), orders: service(3) })
  assert.deepEqual(Object.keys(table), ['users', 'orders'])
  assert.equal(new Set(Object.values(table).flat()).size, 3)
})

test('two services may know the same address by different slots', () => {
  const table = new SlotRegistry(HealthBoard.create(8)).allot({ users: service(1), orders: service(1) })
  assert.notDeepEqual(table['users'], table['orders'])
})

test('an address named twice in one service has one slot', () => {
  const { users } = new SlotRegistry(HealthBoard.create(1)).allot({ users: service(1, 1) })
  assert.deepEqual(users, [0, 0])
})

test('an instance that stays keeps its slot and its state whatever happens around it', () => {
  const board = HealthBoard.create(8)
  const registry = new SlotRegistry(board)
  const before = registry.allot({ users: service(1, 2), orders: service(3) })
  board.set(before['users']![1]!, 'unhealthy')
  const after = registry.allot({ payments: service(9), users: service(4, 2) })
  assert.equal(after['users']![1], before['users']![1])
  assert.equal(board.state(after['users']![1]!), 'unhealthy')
})

test('a slot that is allotted again starts as unknown', () => {
  const board = HealthBoard.create(1)
  const registry = new SlotRegistry(board)
  registry.allot({ users: service(1) })
  board.set(0, 'unhealthy')
  board.drain(0, true)
  assert.deepEqual(registry.allot({ users: service(2) })['users'], [0])
  assert.deepEqual([board.state(0), board.drained(0)], ['unknown', false])
})

test('a slot that became free is the last to be allotted again', () => {
  const registry = new SlotRegistry(HealthBoard.create(3))
  const used = [1, 2, 3, 4].map((port) => registry.allot({ users: service(port) })['users']![0])
  assert.deepEqual(used, [0, 1, 2, 0])
})

test('more instances than slots are refused and leave everything as it was', () => {
  const registry = new SlotRegistry(HealthBoard.create(2))
  const before = registry.allot({ users: service(1, 2) })
  assert.throws(() => registry.allot({ users: service(3, 4, 5) }), /3 instances are configured, the limit is 2/)
  assert.deepEqual(registry.allot({ users: service(1, 2) }), before)
})
