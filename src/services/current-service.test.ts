import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { makeOutcome } from '../../test/support/outcome.ts'
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

const slots = new Map([
  ['a:80', 0],
  ['b:80', 1],
  ['c:80', 2],
])

/** A service whose instances a and b were discovered. */
function setUp(t: TestContext, more: object) {
  const clock = new ManualClock()
  const holder = new Holder({})
  t.after(() => holder.release())
  const tools = {
    board: HealthBoard.create(3),
    deadlines: new Deadlines(clock),
    random: Math.random,
    metrics: new ThreadMetrics(() => {}, clock),
    stickyKeys: [],
    holder,
    zone: null,
  }
  const options = serviceSchema.parse({ instances: ['http://a:80', 'http://b:80'], ...more })
  return new CurrentService('orders', options, { slots, previous: null }, found('a', 'b'), tools)
}

test('the retry budget is kept when the first instance changes', (t) => {
  const service = setUp(t, { retry: { budget: '20%' } })
  const left = () => service.current.retry!.budget.left
  for (let i = 0; i < 500; i++) service.current.retry!.budget.earn()
  assert.equal(left(), MINIMUM + 100)
  service.current.retry!.budget.spend()
  service.exchange({ instances: found('c', 'b'), slots }, 1000)
  assert.equal(left(), MINIMUM + 99)
})

test('the durations that hedging goes by are kept when instances change', (t) => {
  const service = setUp(t, { hedge: { after: 'p95' } })
  const [instance] = service.current.instances
  for (let i = 0; i < 50; i++) service.current.hedge!.ended(makeOutcome(instance!, { took: 20 }))
  service.exchange({ instances: found('c', 'b'), slots }, 1000)
  assert.ok(service.current.hedge!.delay < 30)
})
