import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { parseConfig } from '../src/config/parse.ts'
import type { GatewayConfig } from '../src/config/schema.ts'
import { Generation } from '../src/front/generation.ts'
import { definePolicy, type Policy } from '../src/policies/policy.ts'
import { SlotRegistry } from '../src/services/health/slots.ts'
import { cleanUp } from './support/cleanup.ts'
import { ManualClock } from './support/manual-clock.ts'
import { threadTools } from './support/thread-tools.ts'

/** Each look at it takes a millisecond. */
class SlowClock extends ManualClock {
  override now(): number {
    this.advance(1)
    return super.now()
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** So many routes and services, alike but for their names and paths. */
function largeConfig(routes: number, services: number, chain: readonly Policy[]): GatewayConfig {
  const value = {
    services: { one: { instances: ['http://127.0.0.1:1'] } },
    policies: Object.fromEntries(chain.map(({ name }) => [name, {}])),
    routes: [{ id: 'one', match: { path: '/one' }, service: 'one' }],
  }
  const config = parseConfig(value, { value, chain, findings: [] })
  const [route] = config.routes
  const manyRoutes: GatewayConfig['routes'] = []
  for (const i of numbers(routes)) {
    const copy = { ...route!, id: `route-${i}`, match: { path: [`/a/${i}/{id}`] }, service: `service-${i % services}` }
    manyRoutes.push(copy)
  }
  const manyServices = numbers(services).map((i) => [`service-${i}`, config.services['one']!] as const)
  return { ...config, services: Object.fromEntries(manyServices), routes: manyRoutes }
}

test('a large configuration is compiled in slices of a few routes or services, between which everything else has its turn', async (t) => {
  const clock = new SlowClock()
  const tools = threadTools(clock, 500)
  let [made, most, turns] = [0, 0, 0]
  const counted = definePolicy({
    name: 'counted',
    summary: 'Counts how often it is made.',
    options: z.strictObject({}),
    create() {
      made++
      return (next) => next
    },
  })
  const policies = [counted]
  const config = largeConfig(5000, 500, policies)
  const allotted = new SlotRegistry(tools.board, clock).prepare(config.services, { state: 'unknown', rest: 0 })
  allotted.commit()
  let built = false
  let before = 0
  setImmediate(function turn() {
    turns++
    most = Math.max(most, made - before)
    before = made
    if (!built) setImmediate(turn)
  })
  const generation = await Generation.build({ config, policies, slots: allotted.slots }, tools, null)
  built = true
  cleanUp(t, () => {
    generation.close()
    tools.deadlines.close()
  })
  // Three for what no route takes are made at the end.
  assert.equal(made, 5003)
  assert.ok(most <= 5 + 3, `${most} routes in one turn`)
  assert.ok(turns >= (5000 + 500) / 5, `${turns} turns`)
})
