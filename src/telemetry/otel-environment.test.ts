import assert from 'node:assert/strict'
import test from 'node:test'
import { createMemoryLogger } from './memory-logger.ts'
import { type Environment, readExportSettings } from './otel-environment.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

function read(environment: Environment) {
  const output = createMemoryLogger()
  return { settings: readExportSettings(environment, output.log), lines: output.lines }
}

for (const environment of [
  {},
  { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
  { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' },
  { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
])
  test(`nothing is exported or logged with ${JSON.stringify(environment)}`, () => {
    assert.deepEqual(read(environment), { settings: null, lines: [] })
  })

test('an endpoint is sufficient, for all signals or for traces', () => {
  const settings = { queueSize: 2048, batchSize: 512, delay: 5000, timeout: 30_000 }
  assert.deepEqual(read(ENDPOINT), { settings, lines: [] })
  const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces', OTEL_TRACES_EXPORTER: 'otlp' }
  assert.deepEqual(read(own), { settings, lines: [] })
})

test('a batch is never larger than the queue', () => {
  const { settings } = read({ ...ENDPOINT, OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_SCHEDULE_DELAY: '10' })
  assert.deepEqual([settings?.queueSize, settings?.batchSize, settings?.delay], [100, 100, 10])
})

test('invalid values are logged: numbers keep their defaults, and another protocol is ignored', () => {
  const { settings, lines } = read({
    ...ENDPOINT,
    OTEL_BSP_MAX_QUEUE_SIZE: '0',
    OTEL_BSP_EXPORT_TIMEOUT: 'soon',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  })
  assert.deepEqual([settings?.queueSize, settings?.timeout], [2048, 30_000])
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn', 'warn', 'warn'],
  )
})

test('with another exporter nothing is exported, and the log says so', () => {
  const { settings, lines } = read({ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'zipkin' })
  assert.deepEqual([settings, lines.length], [null, 1])
})
