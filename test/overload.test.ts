import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { definePolicy, type GatewayInput, z } from '../src/gateway.ts'
import { type Answer, send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'

/** Blocks the thread for that many milliseconds. */
const busy = definePolicy({
  name: 'busy',
  summary: 'Keeps the thread at work.',
  options: z.object({ for: z.number() }),
  create:
    ({ for: time }) =>
    (next) =>
    (exchange) => {
      const end = performance.now() + time
      while (performance.now() < end);
      return next(exchange)
    },
})

const policies: GatewayInput['policies'] = { busy: { for: 30 } }

async function setUp(t: TestContext, overload: GatewayInput['overload']) {
  const routes: GatewayInput['routes'] = (['high', 'normal', 'low'] as const).map((priority) => ({
    id: priority,
    match: { path: `/${priority}` },
    reply: { status: 200, body: 'answered' },
    priority,
  }))
  return await startGateway(t, { overload, routes, policies }, { policies: [busy], random: Math.random })
}

/** Several clients send requests one after another until one of them gets the expected reply. */
async function until(port: number, path: string, wanted: (answer: Answer) => boolean): Promise<Answer> {
  let found: Answer | null = null
  const client = async (): Promise<void> => {
    while (found === null) {
      const answer = await send(port, { path })
      if (wanted(answer)) found ??= answer
    }
  }
  await Promise.all([client(), client(), client(), client()])
  return found!
}

test('a gateway with a delayed event loop sheds requests, except those of high priority or to its own endpoints', async (t) => {
  const { port, log } = await setUp(t, { delay: '1ms', for: '1ms' })
  const { headers, text } = await until(port, '/low', ({ status }) => status === 503)
  assert.equal(headers['content-type'], 'application/problem+json')
  assert.equal(headers['cache-control'], 'no-store')
  assert.match(headers['retry-after']!, /^[123]$/)
  const problem = JSON.parse(text) as Record<string, unknown>
  const line = await log.line({ shed: 'overload' })
  assert.deepEqual(problem, {
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    title: 'Gateway overloaded',
    status: 503,
    detail: 'The gateway is overloaded: try again later.',
    instance: line['correlation_id'],
    trace_id: line['trace_id'],
  })
  assert.deepEqual([line['code'], line['route']], ['gateway-overloaded', 'low'])
  const shed = (await scrape(port)).sum('sallyport_shed_total', { service: '', reason: 'overload', priority: 'low' })
  assert.ok(shed >= 1)
  // As many as just caused shedding.
  for (let i = 0; i < 20; i++) {
    const answers = ['/high', '/high', '/high', '/health'].map((path) => send(port, { path }))
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
  }
})

test('with shedding turned off nothing is shed', async (t) => {
  const { port } = await setUp(t, false)
  let count = 0
  await until(port, '/normal', ({ status }) => {
    assert.equal(status, 200)
    return ++count === 40
  })
})
