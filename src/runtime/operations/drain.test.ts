import assert from 'node:assert/strict'
import test from 'node:test'
import { HealthBoard } from '../../services/health/board.ts'
import { HealthHistory } from '../../services/health/history.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Drains } from './drain.ts'

const ADDRESSES = ['10.0.0.1:80', '10.0.0.2:80']

function setUp(addresses: readonly string[] = ADDRESSES) {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('debug', clock)
  const board = HealthBoard.create(addresses.length)
  const history = new HealthHistory(clock)
  const instances = addresses.map((address) => ({
    url: { scheme: 'http' as const, host: address, port: 80 },
    weight: 1,
  }))
  const slots = new Map(addresses.map((address, slot) => [address, slot]))
  const drains = new Drains({
    clock,
    board,
    history,
    log,
    slots: () => ({ books: slots }),
    services: () => ({ books: { instances } }),
    report: () => [],
  })
  const order = (instance: string, drained: boolean, force = true) => {
    const given = drains.date({ service: 'books', instance, drained, force })
    drains.change(given)
    return given
  }
  return { clock, board, drains, order, messages: () => lines.map(({ message }) => message) }
}

const [FIRST = '', SECOND = ''] = ADDRESSES

test('a gateway lists the newest order for each instance, and another one does the same', () => {
  const [one, other] = [setUp(), setUp()]
  const first = one.order(FIRST, true)
  one.order(SECOND, true)
  const second = one.order(SECOND, false)
  assert.deepEqual(one.drains.list(), { orders: [first, second] })
  other.drains.adopt(one.drains.list())
  assert.deepEqual([other.board.drained(0), other.board.drained(1)], [true, false])
  other.drains.adopt(one.drains.list())
  assert.deepEqual(other.messages(), ['An instance is drained, as it is in another gateway'])
})

test('a gateway that missed an undrain learns of it, and does not pass its old drain on', () => {
  const [away, stayed, late] = [setUp(), setUp(), setUp()]
  away.drains.change(stayed.order(FIRST, true))
  stayed.clock.advance(1000)
  stayed.order(FIRST, false)
  late.drains.adopt(away.drains.list())
  late.drains.adopt(stayed.drains.list())
  assert.equal(late.board.drained(0), false)
  stayed.drains.adopt(away.drains.list())
  assert.equal(stayed.board.drained(0), false)
  away.drains.adopt(stayed.drains.list())
  assert.equal(away.board.drained(0), false)
  assert.equal(away.messages().at(-1), 'An instance is undrained, as it is in another gateway')
})

test('of two orders at the same time the newer one counts in every gateway', () => {
  const [one, other] = [setUp(), setUp()]
  other.clock.advance(1)
  const orders = [one.order(FIRST, true), other.order(FIRST, false)] as const
  other.drains.change(orders[0])
  one.drains.change(orders[1])
  assert.deepEqual([one.board.drained(0), other.board.drained(0)], [false, false])
})

test('an order counts even if the gateway that gave the one before has a clock that is ahead', () => {
  const [ahead, behind] = [setUp(), setUp()]
  ahead.clock.advance(60_000)
  behind.drains.change(ahead.order(FIRST, true))
  assert.equal(behind.board.drained(0), true)
  const undrain = behind.order(FIRST, false)
  ahead.drains.change(undrain)
  assert.deepEqual([ahead.board.drained(0), behind.board.drained(0)], [false, false])
})

test('the last usable instance is not drained because it is in another gateway, unless that was forced', () => {
  const { board, drains, order, messages } = setUp()
  order(SECOND, true)
  const at = Date.UTC(2024, 1)
  const given = { service: 'books', instance: FIRST, drained: true, at }
  drains.adopt({ orders: [{ ...given, force: false }] })
  assert.equal(board.drained(0), false)
  assert.equal(messages().at(-1), 'An instance that is drained in another gateway is the last usable one here')
  drains.adopt({ orders: [{ ...given, force: true }] })
  assert.equal(board.drained(0), true)
})

test('an instance that was removed and added again is not drained, and no gateway is told so', () => {
  const { board, drains, order } = setUp()
  order(FIRST, true)
  board.vacate(0, 'unknown')
  assert.deepEqual(drains.list(), { orders: [] })
})

test('drains are passed on first, and only as many orders as fit into a message', () => {
  const addresses = Array.from({ length: 260 }, (_, i) => `10.0.${i}.1:80`)
  const { clock, drains, order } = setUp(addresses)
  const oldest = order(addresses[0]!, true)
  for (const address of addresses.slice(1)) {
    clock.advance(1)
    order(address, true)
    order(address, false)
  }
  const { orders } = drains.list()
  assert.equal(orders.length, 256)
  assert.deepEqual(orders[0], oldest)
  assert.equal(orders[1]!.instance, addresses.at(-1))
})

test('instances and services that a gateway does not have are ignored', () => {
  const { board, drains } = setUp()
  const given = { drained: true, force: true, at: 1 }
  drains.adopt({
    orders: [
      { service: 'books', instance: '10.0.0.3:80', ...given },
      { service: 'other', instance: FIRST, ...given },
    ],
  })
  assert.deepEqual([board.drained(0), board.drained(1)], [false, false])
})
