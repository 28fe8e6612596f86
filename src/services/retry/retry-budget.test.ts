import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Deadlines } from '../../http/deadlines.ts'
import { HealthBoard } from '../health/board.ts'
import { RetryBudget } from './retry-budget.ts'

/** One budget, as several workers see it. */
function setUp(options: { budget: number; minimum: number }, workers = 1) {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const board = HealthBoard.create(3, workers)
  const budgets = Array.from({ length: workers }, (_, worker) => {
    const { retries, slot } = new HealthBoard(board.buffer, worker).loads.of('orders')
    return new RetryBudget(retries, slot, options, deadlines)
  })
  /** How many may be sent again. */
  const spendAll = (by = budgets): number => {
    let spent = 0
    while (by[spent % by.length]!.spend()) spent++
    return spent
  }
  return { clock, budgets, spendAll }
}

test('the budget is a share of all requests plus a minimum', () => {
  const { budgets, spendAll } = setUp({ budget: 0.2, minimum: 10 })
  for (let i = 0; i < 500; i++) budgets[0]!.earn()
  assert.equal(spendAll(), 200)
})

test('without requests the budget is the minimum over ten seconds', () => {
  const { clock, spendAll } = setUp({ budget: 0.2, minimum: 10 })
  assert.equal(spendAll(), 100)
  clock.advance(4_900)
  assert.equal(spendAll(), 0)
  clock.advance(5_200)
  assert.equal(spendAll(), 100)
})

test('requests and retries older than the window do not count', () => {
  const { clock, budgets, spendAll } = setUp({ budget: 0.5, minimum: 0 })
  for (let i = 0; i < 100; i++) budgets[0]!.earn()
  assert.equal(spendAll(), 50)
  clock.advance(10_100)
  assert.equal(spendAll(), 0)
  budgets[0]!.earn()
  budgets[0]!.earn()
  assert.equal(spendAll(), 1)
})

test('all workers share the budget', () => {
  const { budgets, spendAll } = setUp({ budget: 0.2, minimum: 1 }, 4)
  for (let i = 0; i < 400; i++) budgets[i % 4]!.earn()
  assert.equal(spendAll(), 90)
  for (const budget of budgets) assert.equal(budget.spend(), false)
})
