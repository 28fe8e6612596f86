import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { ManualClock } from '../../testing/manual-clock.ts'
import { HealthBoard, type HealthState } from './board.ts'
import { SlotRegistry, type SlotTable } from './slots.ts'

const GRACE_PERIOD = 30_000

type Services = Readonly<Record<string, readonly string[]>>

function service(...ports: number[]): string[] {
  return ports.map(addressOf)
}

function addressOf(port: number): string {
  return `127.0.0.1:${port}`
}

function setUp(size: number) {
  const clock = new ManualClock()
  const board = HealthBoard.create(size)
  const registry = new SlotRegistry(board, clock)
  return {
    clock,
    board,
    registry,
    prepare: (services: Services) =>
      registry.prepare(new Map(Object.entries(services)), { state: 'pending', gracePeriod: GRACE_PERIOD }),
    /** Has the services take effect, and returns their slots. */
    allot: (services: Services, state: HealthState = 'unknown'): SlotTable => {
      const prepared = registry.prepare(new Map(Object.entries(services)), { state, gracePeriod: GRACE_PERIOD })
      prepared.commit()
      return prepared.slots
    },
  }
}

test('every instance has its own slot, by service and address', () => {
  const table = setUp(8).allot({ users: service(1, 2), orders: service(3) })
  assert.deepEqual(Object.keys(table), ['users', 'orders'])
  const [first, second] = [table['users']!.get(addressOf(1)), table['users']!.get(addressOf(2))]
  assert.equal(new Set([first, second, table['orders']!.get(addressOf(3))]).size, 3)
  assert.equal(table['users']!.get(addressOf(3)), undefined)
})

test('two services have different slots for the same address', () => {
  const table = setUp(8).allot({ users: service(1), orders: service(1) })
  assert.notEqual(table['users']!.get(addressOf(1)), table['orders']!.get(addressOf(1)))
})

test('a service may be named like an inherited property', () => {
  const { prepare } = setUp(1)
  const { slots } = prepare({ constructor: service(1) })
  assert.deepEqual([...slots['constructor']!], [[addressOf(1), 0]])
})

test('an unchanged instance keeps its slot and state', () => {
  const { board, allot } = setUp(8)
  const before = allot({ users: service(1, 2), orders: service(3) })['users']!.get(addressOf(2))!
  board.set(before, 'unhealthy')
  board.drain(before, true)
  const after = allot({ payments: service(9), users: service(2, 4) }, 'pending')['users']!.get(addressOf(2))!
  assert.equal(after, before)
  assert.deepEqual([board.state(after), board.drained(after)], ['unhealthy', true])
})

test('the slot of a removed instance rests before it is reused and reset', () => {
  const { clock, board, prepare, allot } = setUp(2)
  const slot = allot({ users: service(1) })['users']!.get(addressOf(1))!
  board.set(slot, 'unhealthy')
  board.drain(slot, true)
  allot({ users: service(2) }, 'pending')
  clock.advance(GRACE_PERIOD - 1)
  assert.throws(() => prepare({ users: service(2, 3) }), RangeError)
  assert.deepEqual([board.state(slot), board.drained(slot)], ['unhealthy', true])
  clock.advance(1)
  assert.equal(prepare({ users: service(2, 3) }).slots['users']!.get(addressOf(3)), slot)
  assert.deepEqual([board.state(slot), board.drained(slot)], ['pending', false])
})

test('an instance that returns while its old slot rests gets a new one', () => {
  const { allot } = setUp(3)
  const before = allot({ users: service(1) })['users']!.get(addressOf(1))
  allot({ users: service(2) })
  assert.notEqual(allot({ users: service(1, 2) })['users']!.get(addressOf(1)), before)
})

test('a slot is not reused while requests to its previous instance are in flight', () => {
  const { clock, board, prepare, allot } = setUp(2)
  const { users } = allot({ users: service(1, 2) })
  const [long, short] = [users!.get(addressOf(1))!, users!.get(addressOf(2))!]
  board.requests.begin(long)
  allot({ users: [] }, 'pending')
  clock.advance(GRACE_PERIOD)
  assert.equal(prepare({ users: service(3) }).slots['users']!.get(addressOf(3)), short)
  clock.advance(GRACE_PERIOD)
  assert.throws(() => prepare({ users: service(3, 4) }), RangeError)
  board.requests.end(long)
  clock.advance(GRACE_PERIOD)
  assert.equal(prepare({ users: service(4) }).slots['users']!.get(addressOf(4)), long)
})

test('slots of an abandoned configuration are free at once', () => {
  const { prepare, allot } = setUp(2)
  allot({ users: service(1) })
  for (const port of [2, 3, 4, 5]) prepare({ users: service(1, port) }).abandon()
  assert.equal(prepare({ users: service(1, 6) }).slots['users']!.size, 2)
})

test('too many instances are rejected with the number of free slots, without effect', () => {
  const { prepare, allot } = setUp(3)
  const before = allot({ users: service(1, 2) })
  allot({ users: service(1) })
  assert.throws(() => prepare({ users: service(1, 3, 4) }), {
    name: 'RangeError',
    message:
      '2 instances are added and there is room for 1: of 3, 1 are configured and 1 were taken out less than ' +
      'drainTimeout ago, or have requests in flight; add fewer, wait for those, or restart the gateway',
  })
  assert.equal(allot({ users: service(1) })['users']!.get(addressOf(1)), before['users']!.get(addressOf(1)))
})

test('close cancels all timers', () => {
  const { clock, registry, allot } = setUp(4)
  allot({ users: service(1, 2) })
  allot({ users: service(1) })
  assert.equal(clock.pending, 1)
  registry.close()
  assert.equal(clock.pending, 0)
})

const SIZE = 6

const step = fc.oneof(
  fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: GRACE_PERIOD }) }),
  fc.record({
    type: fc.constantFrom('commit' as const, 'abandon' as const),
    users: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 5 }),
    orders: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 5 }),
  }),
)

/** Slots by service and address. */
function flat(table: SlotTable): Map<string, number> {
  return new Map(Object.entries(table).flatMap(([name, slots]) => [...slots].map(([at, slot]) => [name + at, slot])))
}

test('property: no slot has two instances, or a new one before its grace period is over', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, board, prepare } = setUp(SIZE)
      let current = new Map<string, number>()
      /** When the grace period of a slot is over. */
      const retiring = new Map<number, number>()
      for (const each of steps) {
        if (each.type === 'pass') clock.advance(each.ms)
        for (const [slot, end] of retiring) if (end <= clock.now()) retiring.delete(slot)
        if (each.type === 'pass') continue
        const services = { users: service(...each.users), orders: service(...each.orders) }
        const ofUsers = each.users.map((port) => `users${addressOf(port)}`)
        const keys = ofUsers.concat(each.orders.map((port) => `orders${addressOf(port)}`))
        const added = keys.filter((key) => !current.has(key))
        if (added.length > SIZE - current.size - retiring.size) {
          assert.throws(() => prepare(services), RangeError)
          continue
        }
        const prepared = prepare(services)
        const next = flat(prepared.slots)
        assert.deepEqual([...next.keys()], keys)
        assert.equal(new Set(next.values()).size, next.size, 'one slot each')
        for (const [key, slot] of next) {
          assert.ok(!retiring.has(slot), 'no idle slot')
          if (current.has(key)) assert.equal(slot, current.get(key))
          else assert.ok(![...current.values()].includes(slot), 'no slot that is in use')
        }
        for (const key of added)
          assert.deepEqual([board.state(next.get(key)!), board.drained(next.get(key)!)], ['pending', false])
        // What checks and operators find meanwhile stays with the instance.
        for (const slot of next.values()) {
          board.set(slot, slot % 2 === 0 ? 'unhealthy' : 'healthy')
          board.drain(slot, slot % 3 === 0)
        }
        if (each.type === 'abandon') prepared.abandon()
        if (each.type === 'abandon') continue
        prepared.commit()
        for (const [key, slot] of current) if (!next.has(key)) retiring.set(slot, clock.now() + GRACE_PERIOD)
        current = next
        for (const slot of [...current.values(), ...retiring.keys()])
          assert.deepEqual([board.state(slot) === 'healthy', board.drained(slot)], [slot % 2 === 1, slot % 3 === 0])
      }
    }),
  )
})
