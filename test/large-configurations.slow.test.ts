import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import { parseConfig } from '../src/config/parse.ts'
import type { GatewayConfig } from '../src/config/schema.ts'
import { Generation } from '../src/front/generation.ts'
import type { Policy } from '../src/policies/policy.ts'
import { SlotRegistry } from '../src/services/health/slots.ts'
import { cleanUp } from './support/cleanup.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { addressesOf, threadTools } from './support/thread-tools.ts'

/** Each access takes a millisecond. */
class SlowClock extends ManualClock {
  override now(): number {
    this.advance(1)
    return super.now()
  }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Many routes and services that differ only in their names and paths. */
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

/** A policy without options that records when it is created. */
function policyOf(name: string, create: () => void): Policy<z.ZodObject> {
  return {
    name,
    summary: 'Does nothing.',
    options: z.strictObject({}),
    create() {
      create()
      return (next) => next
    },
  }
}

async function build(
  t: TestContext,
  config: GatewayConfig,
  policies: readonly Policy[],
  tools: ReturnType<typeof threadTools>,
): Promise<void> {
  const allotted = new SlotRegistry(tools.board, tools.clock).prepare(addressesOf(config.services), {
    state: 'unknown',
    gracePeriod: 0,
  })
  allotted.commit()
  const generation = await Generation.build({ config, policies, slots: allotted.slots, discovered: {} }, tools, null)
  cleanUp(t, () => {
    generation.close()
    tools.deadlines.close()
  })
}

test('a large configuration is compiled in slices of a few routes or services, with other work in between', async (t) => {
  const clock = new SlowClock()
  const tools = threadTools(clock, 500)
  let [made, most, turns] = [0, 0, 0]
  const counted = policyOf('counted', () => made++)
  const policies = [counted]
  const config = largeConfig(5000, 500, policies)
  let built = false
  let before = 0
  setImmediate(function turn() {
    turns++
    most = Math.max(most, made - before)
    before = made
    if (!built) setImmediate(turn)
  })
  await build(t, config, policies, tools)
  built = true
  // Three for unmatched requests are created at the end.
  assert.equal(made, 5003)
  assert.ok(most <= 5 + 3, `${most} routes in one turn`)
  assert.ok(turns >= (5000 + 500) / 5, `${turns} turns`)
})

test('policies are prepared in slices before any of their steps is created', async (t) => {
  const clock = new SlowClock()
  let [prepared, most, before, madeAt] = [0, 0, 0, -1]
  const slow: Policy = {
    ...policyOf('slow', () => (madeAt = madeAt === -1 ? prepared : madeAt)),
    *prepare() {
      for (let step = 0; step < 1000; step++) {
        prepared++
        yield
      }
    },
  }
  let built = false
  setImmediate(function turn() {
    most = Math.max(most, prepared - before)
    before = prepared
    if (!built) setImmediate(turn)
  })
  // The policies of all routes are one value, in addition to what every route has.
  await build(t, largeConfig(10, 1, [slow]), [slow], threadTools(clock, 1))
  built = true
  assert.ok(most <= 5, `${most} steps in one turn`)
  assert.equal(madeAt, prepared)
  assert.ok(prepared >= 1000)
})

test('a failure in preparation is a problem of that policy', async (t) => {
  const broken: Policy = {
    ...policyOf('broken', () => {}),
    // oxlint-disable-next-line require-yield -- it does not come to its first step
    *prepare() {
      throw new Error('there is no such thing')
    },
  }
  await assert.rejects(
    build(t, largeConfig(1, 1, [broken]), [broken], threadTools(new ManualClock(), 1)),
    /policy "broken" could not be set up: there is no such thing/,
  )
})

test('a shared step is created once for all routes, and the steps after it for each route', async (t) => {
  const made: string[] = []
  const shared: Policy = { ...policyOf('shared', () => made.push('shared')), isShared: () => true }
  const own = policyOf('own', () => made.push('own'))
  const further: Policy = { ...policyOf('further', () => made.push('further')), isShared: () => true }
  const policies = [shared, own, further]
  await build(t, largeConfig(100, 1, policies), policies, threadTools(new ManualClock(), 1))
  const times = Object.entries(Object.groupBy(made, (name) => name)).map(([name, all]) => `${name} ${all?.length}`)
  // Three more for unmatched requests.
  assert.deepEqual(times.toSorted(), ['further 103', 'own 103', 'shared 4'])
})
