import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { slice, startApiServer } from '../../test/support/api-server.ts'
import { startScope } from '../../test/support/process-scope.ts'
import type { GatewayInput } from '../config/gateway-input.ts'
import { levelOf, logLevelTopic } from '../telemetry/log-settings.ts'
import { metricsDocument } from '../telemetry/metrics/document.ts'

/** What there is once in a process, and what is counted of it. */
function setUp(t: TestContext, config: GatewayInput) {
  const started = startScope(t, config)
  const { answers } = started
  return {
    ...started,
    /** The samples of a metric: labels and value. */
    samples: async (name: string): Promise<string[]> => {
      const { text } = await metricsDocument(answers, undefined)
      return text
        .split('\n')
        .flatMap((line) =>
          line.startsWith(`${name}{`) || line.startsWith(`${name} `) ? [line.slice(name.length)] : [],
        )
    },
  }
}

const unchecked = (...instances: string[]) => ({ instances, health: false as const })
const HEALTHY = 'sallyport_instance_healthy'

test('a prepared configuration becomes current on commit', async (t) => {
  const { scope, prepare } = setUp(t, { services: { users: unchecked('http://127.0.0.1:1') } })
  const prepared = await prepare({ services: { orders: unchecked('http://127.0.0.1:2') } })
  assert.deepEqual([Object.keys(scope.config.services), Object.keys(scope.slots)], [['users'], ['users']])
  prepared.commit()
  assert.deepEqual([Object.keys(scope.config.services), scope.slots], [['orders'], prepared.slots])
})

test('an abandoned configuration changes nothing', async (t) => {
  const { scope, prepare } = setUp(t, { services: { users: unchecked('http://127.0.0.1:1') } })
  const { config, slots } = scope
  ;(await prepare({ services: { orders: unchecked('http://127.0.0.1:2') } })).abandon()
  assert.deepEqual([scope.config, scope.slots], [config, slots])
})

test('the first services with discovery may come with a reload', async (t) => {
  const api = await startApiServer(t)
  api.put('shop', slice('users', 'users-a', ['127.0.0.1'], 8001))
  const { scope, prepare } = setUp(t, { services: { users: unchecked('http://127.0.0.1:1') } })
  await scope.discover()
  const kubernetes = { service: 'users', namespace: 'shop', server: `http://127.0.0.1:${api.port}` }
  ;(await prepare({ services: { users: { discover: { kubernetes }, health: false } } })).commit()
  assert.deepEqual([...scope.slots['users']!.keys()], ['127.0.0.1:8001'])
})

test('slots of removed instances are reused only after the longer drain timeout of both configurations', async (t) => {
  for (const [before, after] of [
    ['30s', '10s'],
    ['10s', '30s'],
  ] as const) {
    const { clock, prepare } = setUp(t, { drainTimeout: before, services: { users: unchecked('http://127.0.0.1:1') } })
    const timers = clock.pending
    ;(await prepare({ drainTimeout: after, services: { users: unchecked('http://127.0.0.1:2') } })).commit()
    clock.advance(39_999)
    assert.equal(clock.pending, timers + 1)
    clock.advance(1)
    assert.equal(clock.pending, timers)
  }
})

test('metrics cover the instances of the applied configuration, each once', async (t) => {
  const { prepare, samples } = setUp(t, {
    services: { users: unchecked('http://127.0.0.1:1', 'http://127.0.0.1:2') },
  })
  const before = ['{service="users",instance="127.0.0.1:1"} 1', '{service="users",instance="127.0.0.1:2"} 1']
  assert.deepEqual(await samples(HEALTHY), before)
  const prepared = await prepare({
    services: {
      users: unchecked('http://127.0.0.1:2'),
      orders: { ...unchecked('https://127.0.0.1:3'), tls: { insecure: true } },
    },
  })
  assert.deepEqual(await samples(HEALTHY), before)
  assert.deepEqual(await samples('sallyport_service_insecure'), ['{service="users"} 0'])
  prepared.commit()
  assert.deepEqual(await samples(HEALTHY), [
    '{service="users",instance="127.0.0.1:2"} 1',
    '{service="orders",instance="127.0.0.1:3"} 1',
  ])
  assert.deepEqual(await samples('sallyport_service_insecure'), ['{service="users"} 0', '{service="orders"} 1'])
})

test('a new log level and format apply from the commit on', async (t) => {
  const { output, formats, prepare } = setUp(t, { log: { level: 'info', format: 'json' } })
  const prepared = await prepare({ log: { level: 'debug', format: 'pretty' } })
  assert.deepEqual([output.log.isLevelEnabled('debug'), formats], [false, []])
  prepared.commit()
  assert.deepEqual([output.log.isLevelEnabled('debug'), formats], [true, ['pretty']])
})

test('a log level set by an operator stays until the configured one changes', async (t) => {
  const { answers, output, prepare } = setUp(t, { log: { level: 'info' } })
  const levelAfter = async (log: GatewayInput['log']): Promise<string> => {
    ;(await prepare({ log, drainTimeout: '1s' })).commit()
    return levelOf(output)
  }
  await answers.askAll(logLevelTopic, 'debug')
  assert.equal(await levelAfter({ level: 'info' }), 'debug')
  assert.equal(await levelAfter({ level: 'warn' }), 'warn')
})
