import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { serviceSchema } from '../config/service-schema.ts'
import { Holder } from '../core/shared.ts'
import { Deadlines } from '../http/deadlines.ts'
import { ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { CurrentService } from './current-service.ts'
import { HealthBoard } from './health/board.ts'

const MINIMUM = 100

function found(...hosts: readonly string[]) {
  return hosts.map((host) => ({ url: { scheme: 'http' as const, host, port: 80 }, weight: 1, zone: null }))
}

test('the retry budget is kept when the first instance changes', () => {
  const clock = new ManualClock()
  const holder = new Holder({})
  const metrics = new ThreadMetrics(() => {}, clock)
  const tools = {
    board: HealthBoard.create(3),
    deadlines: new Deadlines(clock),
    random: Math.random,
    metrics,
    stickyKeys: [],
    holder,
    zone: null,
  }
  const options = serviceSchema.parse({ instances: ['http://a:80', 'http://b:80'], retry: { budget: '20%' } })
  const slots = new Map([
    ['a:80', 0],
    ['b:80', 1],
    ['c:80', 2],
  ])
  const service = new CurrentService('orders', options, { slots, previous: null }, found('a', 'b'), tools)
  const left = () => service.current.retry!.budget.left
  for (let i = 0; i < 500; i++) service.current.retry!.budget.earn()
  assert.equal(left(), MINIMUM + 100)
  service.current.retry!.budget.spend()
  service.exchange({ instances: found('c', 'b'), slots }, 1000)
  assert.equal(left(), MINIMUM + 99)
  holder.release()
})
