import assert from 'node:assert/strict'
import test from 'node:test'
import { HealthBoard } from './board.ts'
import { SlotRegistry, type Addressed } from './slots.ts'

function service(...ports: number[]): Addressed {
  return { instances: ports.map((port) => ({ url: { host: '127.0.0.1', port } })) }
}

function addressOf(port: number): string {
  return `127.0.0.1:${port}`
}

test('every instance gets a slot of its own, known by its service and its address', () => {
  const table = new SlotRegistry(HealthBoard.create(8)).allot({ users: service(1, 2), orders: service(3) })
  assert.deepEqual(Object.keys(table), ['users', 'orders'])
  const [first, second] = [table['users']!.get(addressOf(1)), table['users']!.get(addressOf(2))]
  assert.equal(new Set([first, second, table['orders']!.get(addressOf(3))]).size, 3)
  assert.equal(table['users']!.get(addressOf(3)), undefined)
})

test('two services may know the same address by different slots', () => {
  const table = new SlotRegistry(HealthBoard.create(8)).allot({ users: service(1), orders: service(1) })
  assert.notEqual(table['users']!.get(addressOf(1)), table['orders']!.get(addressOf(1)))
})

test('an address named twice in one service has one slot', () => {
  const { users } = new SlotRegistry(HealthBoard.create(1)).allot({ users: service(1, 1) })
  assert.deepEqual([...users!], [[addressOf(1), 0]])
})

test('an instance that stays keeps its slot and its state whatever happens around it', () => {
  const board = HealthBoard.create(8)
  const registry = new SlotRegistry(board)
  const before = registry.allot({ users: service(1, 2), orders: service(3) })['users']!.get(addressOf(2))!
  board.set(before, 'unhealthy')
  const after = registry.allot({ payments: service(9), users: service(2, 4) })['users']!.get(addressOf(2))!
  assert.equal(after, before)
  assert.equal(board.state(after), 'unhealthy')
})

test('a slot that is allotted again starts as unknown', () => {
  const board = HealthBoard.create(1)
  const registry = new SlotRegistry(board)
  registry.allot({ users: service(1) })
  board.set(0, 'unhealthy')
  board.drain(0, true)
  assert.equal(registry.allot({ users: service(2) })['users']!.get(addressOf(2)), 0)
  assert.deepEqual([board.state(0), board.drained(0)], ['unknown', false])
})

test('a slot that became free is the last to be allotted again', () => {
  const registry = new SlotRegistry(HealthBoard.create(3))
  const used = [1, 2, 3, 4].map((port) => registry.allot({ users: service(port) })['users']!.get(addressOf(port)))
  assert.deepEqual(used, [0, 1, 2, 0])
})

test('more instances than slots are refused and leave everything as it was', () => {
  const registry = new SlotRegistry(HealthBoard.create(2))
  const before = registry.allot({ users: service(1, 2) })
  assert.throws(() => registry.allot({ users: service(3, 4, 5) }), /3 instances are configured, the limit is 2/)
  assert.deepEqual(registry.allot({ users: service(1, 2) }), before)
})
