import assert from 'node:assert/strict'
import test, { suite } from 'node:test'
import { type Draw, type LoadSimulation, simulateLoad } from '../../../test/support/limit-simulation.ts'
import { concurrencySchema } from './index.ts'

const adaptive = concurrencySchema.parse({})

function assertNear(measured: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(measured / expected - 1) <= 0.1,
    `${what}: ${measured.toFixed(1)} is not ${expected}, give or take 10%`,
  )
}

/** Takes 1,000 requests a second, each of which takes 40 ms; clients give up after a second. */
const small = { slots: 10, time: (_: number, draw: Draw) => draw.exponential(40), timeout: 1_000 }

suite('a service at twice its capacity', () => {
  const doubled = (from: number, to: number) => (now: number) => (now >= from && now < to ? 2 : 0.5)

  test('answers nobody without a limit', () => {
    const simulated = simulateLoad({ ...small, concurrency: false, rate: doubled(20_000, 80_000), duration: 80_000 })
    assert.ok(simulated.answered(30, 80) < 50)
  })

  test('continues at its capacity, within the timeout, and sheds nothing before and after', () => {
    const simulated = simulateLoad({
      ...small,
      concurrency: adaptive,
      rate: doubled(20_000, 80_000),
      duration: 120_000,
    })
    assertNear(simulated.answered(20, 25), 1000, 'answers a second at the beginning')
    assertNear(simulated.answered(25, 80), 1000, 'answers a second')
    assertNear(simulated.percentile(0.99), 220, 'ms, of 99%')
    assert.equal(simulated.shed(0, 20), 0)
    assert.equal(simulated.shed(81), 0)
  })

  test('continues as long as the overload lasts', () => {
    const simulated = simulateLoad({
      ...small,
      concurrency: adaptive,
      rate: doubled(20_000, 320_000),
      duration: 320_000,
    })
    assertNear(simulated.answered(260, 320), 1000, 'answers a second in the last minute')
    assert.ok(simulated.percentile(0.99) < 700)
  })

  test('answers high priority, and hardly any low priority', () => {
    const { priorities } = simulateLoad({
      ...small,
      concurrency: adaptive,
      rate: doubled(20_000, 80_000),
      duration: 80_000,
      priority: (draw) => (draw.uniform() < 0.2 ? 'high' : draw.uniform() < 0.75 ? 'normal' : 'low'),
    })
    const part = ({ shed, asked }: { shed: number; asked: number }): number => (100 * shed) / asked
    assert.ok(part(priorities.high) < 0.5)
    assertNear(part(priorities.normal), 46, '% of normal priority shed')
    assertNear(part(priorities.low), 92, '% of low priority shed')
  })

  test('continues at its capacity even if the gateway has just started', () => {
    const simulated = simulateLoad({ ...small, concurrency: adaptive, rate: () => 2, duration: 60_000 })
    assertNear(simulated.answered(0, 60), 1000, 'answers a second')
  })
})

suite('ten seconds at 30% of the capacity, at 70% load', () => {
  const blip: Omit<LoadSimulation, 'concurrency'> = {
    ...small,
    time: (now, draw) => draw.exponential(now > 30_000 && now < 40_000 ? 133 : 40),
    rate: () => 0.7,
    duration: 100_000,
  }

  test('without a limit and with three retries it never recovers', () => {
    const simulated = simulateLoad({ ...blip, concurrency: false, retries: 3 })
    assert.ok(simulated.answered(60, 100) < 50)
  })

  for (const retries of [0, 3])
    test(`with a limit and ${retries} retries it continues at its capacity, and recovers at once`, () => {
      const simulated = simulateLoad({ ...blip, concurrency: adaptive, retries })
      assertNear(simulated.answered(30, 40), 295, 'answers a second meanwhile')
      assertNear(simulated.answered(40, 42), 700, 'answers a second in the two seconds after')
      assertNear(simulated.answered(42, 100), 700, 'answers a second later')
    })
})

suite('hardly any request to a healthy service is shed', () => {
  const shapes: Record<string, [most: number, Partial<LoadSimulation> & Pick<LoadSimulation, 'time'>]> = {
    'that is steady': [0, { time: (_, draw) => draw.exponential(40) }],
    'of whose requests 5% take 3 s': [
      0,
      { time: (_, draw) => draw.exponential(draw.uniform() < 0.05 ? 3_000 : 20), duration: 600_000 },
    ],
    'whose load is eight times as high for a second of ten': [
      0,
      { rate: (now) => (now % 10_000 < 1_000 ? 1.6 : 0.2), time: (_, draw) => draw.exponential(40) },
    ],
    'that is idle, and then is not': [
      0,
      { rate: (now) => (now < 60_000 ? 0.01 : 1.5), time: (_, draw) => draw.exponential(40) },
    ],
    'that takes twice as long from some time on': [
      0,
      { time: (now, draw) => draw.exponential(now < 60_000 ? 40 : 80) },
    ],
    'that takes five times as long from some time on': [
      4.4,
      { time: (now, draw) => draw.exponential(now < 60_000 ? 40 : 200) },
    ],
    'of which more is asked that takes long from some time on': [
      0.5,
      { time: (now, draw) => draw.exponential(draw.uniform() < (now < 60_000 ? 0.01 : 0.2) ? 1_000 : 20) },
    ],
    'with 500 requests in flight from the start': [
      1,
      { rate: () => 10, time: (_, draw) => draw.exponential(50), duration: 30_000 },
    ],
    'with 250 requests in flight that take five times as long from some time on': [
      3,
      { rate: () => 4, time: (now, draw) => draw.exponential(now < 20_000 ? 50 : 250), duration: 60_000 },
    ],
    'whose 500 clients poll for 25 s each': [0, { rate: (now) => (now < 2_000 ? 0.25 : 0.02), time: () => 25_000 }],
    'whose requests take a minute each': [0, { rate: () => 0.02, time: (_, draw) => draw.exponential(60_000) }],
    'whose requests take three seconds each': [0, { rate: () => 0.1, time: (_, draw) => draw.exponential(3_000) }],
  }
  for (const [name, [most, shape]] of Object.entries(shapes))
    test(name, () => {
      const defaults = { concurrency: adaptive, slots: 1_000, rate: () => 0.5, duration: 120_000, seed: 13 }
      const shed = simulateLoad({ ...defaults, ...shape }).shed()
      assert.ok(shed <= most, `${shed.toFixed(3)}% is more than ${most}%`)
    })
})

suite('why it is off by default: many requests are shed if a healthy service becomes much slower', () => {
  const after = (from: number, before: number, then: number) => (now: number) => (now < from ? before : then)
  const shapes: Record<string, [about: number, Partial<LoadSimulation> & Pick<LoadSimulation, 'time'>]> = {
    'a millisecond with one request in flight, 30 ms with 150': [
      33,
      { rate: after(20_000, 0.5, 5), time: (now, draw) => draw.exponential(now < 20_000 ? 1 : 30) },
    ],
    'a millisecond with one request in flight, 100 ms with 500': [
      76,
      { rate: after(20_000, 0.5, 5), time: (now, draw) => draw.exponential(now < 20_000 ? 1 : 100) },
    ],
    '40 ms, and twenty times as long later': [
      35,
      { time: (now, draw) => draw.exponential(now < 60_000 ? 40 : 800), duration: 120_000 },
    ],
  }
  for (const [name, [about, shape]] of Object.entries(shapes))
    test(name, () => {
      const defaults = { concurrency: adaptive, slots: 1_000, rate: () => 0.5, duration: 60_000, seed: 13 }
      assertNear(simulateLoad({ ...defaults, ...shape }).shed(), about, '% shed')
    })
})
