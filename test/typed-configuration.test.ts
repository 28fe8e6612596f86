import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../src/config/parse.ts'
import { defineConfig, type Duration, duration, type Rate, type Size, size, z } from '../src/gateway.ts'

const routes = [{ id: 'all', match: { path: '/*' }, reply: {} }]

test('values without a unit are rejected by tsc and by the gateway', () => {
  const configurations = [
    // @ts-expect-error -- 1000 of what?
    defineConfig({ routes, drainTimeout: '1000' }),
    // @ts-expect-error -- there is no such unit
    defineConfig({ routes, drainTimeout: '5 minutes' }),
    // @ts-expect-error -- a size is no duration
    defineConfig({ routes, limits: { idleTimeout: '10kb' } }),
    // @ts-expect-error -- a duration is no size
    defineConfig({ routes, limits: { body: '10s' } }),
    // @ts-expect-error -- a number has no unit
    defineConfig({ routes, limits: { body: 1024 } }),
    // @ts-expect-error -- 1000 in which time?
    defineConfig({ routes, policies: { 'rate-limit': { tiers: { authenticated: '1000' } } } }),
    // @ts-expect-error -- one of a list
    defineConfig({ routes, policies: { 'rate-limit': { consumers: { partner: ['10/s', '1000'] } } } }),
    // @ts-expect-error -- a part of what?
    defineConfig({ services: { a: { instances: ['http://a'], retry: { budget: '20' } } }, routes }),
    // @ts-expect-error -- retries are counted by the second
    defineConfig({ services: { a: { instances: ['http://a'], retry: { minimum: '10' } } }, routes }),
  ]
  for (const configuration of configurations) assert.throws(() => parseConfig(configuration), /expected/)
})

test('template literals with units have the right type', () => {
  const seconds = 30
  const [drainTimeout, body, rate]: [Duration, Size, Rate] = [`${seconds}s`, `${2 * seconds}kb`, `${seconds}/10m`]
  const config = parseConfig(
    defineConfig({
      routes,
      drainTimeout,
      limits: { body },
      policies: { 'rate-limit': { consumers: { partner: rate } } },
    }),
  )
  assert.deepEqual([config.drainTimeout, config.limits.body], [30_000, 61_440])
})

test('defaults of custom options can have units, wherever default is called', () => {
  const options = z.strictObject({
    for: duration.default('5m'),
    described: duration.describe('How long.').default('10s').describe('How long. Default 10s.'),
    made: size.default(() => '1kb'),
    parsed: size.default(2048),
    required: duration,
  })
  const parsed: z.output<typeof options> = options.parse({ required: '1s' })
  assert.deepEqual(parsed, { for: 300_000, described: 10_000, made: 1024, parsed: 2048, required: 1000 })
  const written: z.input<typeof options> = { for: '1h', required: '1s' }
  assert.equal(options.parse(written).for, 3_600_000)
  assert.throws(
    // @ts-expect-error -- a default has its unit too, and what has none is refused at once
    () => duration.default('5'),
    /expected a duration/,
  )
})
