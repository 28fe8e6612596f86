import assert from 'node:assert/strict'
import test from 'node:test'
import { HealthBoard } from '../../services/health/board.ts'
import { HealthHistory } from '../../services/health/history.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Drains } from './drain.ts'

const ADDRESSES = ['10.0.0.1:80', '10.0.0.2:80']

function setUp() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('debug', clock)
  const board = HealthBoard.create(2)
  const history = new HealthHistory(clock)
  const instances = ADDRESSES.map((address) => ({
    url: { scheme: 'http' as const, host: address, port: 80 },
    weight: 1,
  }))
  const drains = new Drains({
    board,
    history,
    log,
    slots: () => ({ books: new Map(ADDRESSES.map((address, slot) => [address, slot])) }),
    services: () => ({ books: { instances } }),
    report: () => [],
  })
  const order = (instance: string, drained: boolean) =>
    drains.change({ service: 'books', instance, drained, force: true })
  return { board, drains, order, messages: () => lines.map(({ message }) => message) }
}

const [FIRST = '', SECOND = ''] = ADDRESSES

test('a gateway lists what is drained, and another one drains the same', () => {
  const [one, other] = [setUp(), setUp()]
  one.order(FIRST, true)
  one.order(SECOND, true)
  one.order(SECOND, false)
  assert.deepEqual(one.drains.list(), { instances: [{ service: 'books', instance: FIRST }] })
  other.drains.adopt(one.drains.list())
  assert.deepEqual([other.board.drained(0), other.board.drained(1)], [true, false])
  other.drains.adopt(one.drains.list())
  assert.deepEqual(other.messages(), ['An instance is drained, as it is in another gateway'])
})

test('what an operator has put back meanwhile stays in service', () => {
  const { board, drains, order } = setUp()
  order(FIRST, false)
  drains.adopt({ instances: [{ service: 'books', instance: FIRST }] })
  assert.equal(board.drained(0), false)
})

test('instances and services that a gateway does not have are ignored', () => {
  const { board, drains } = setUp()
  drains.adopt({
    instances: [
      { service: 'books', instance: '10.0.0.3:80' },
      { service: 'other', instance: FIRST },
    ],
  })
  assert.deepEqual([board.drained(0), board.drained(1)], [false, false])
})
