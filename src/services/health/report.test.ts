import assert from 'node:assert/strict'
import test from 'node:test'
import type { HealthState } from './board.ts'
import type { ServiceReport } from './checker.ts'
import { healthDocument, serviceStatus, type ServiceStates } from './report.ts'

const wall = Date.UTC(2024, 0, 15, 10, 30, 0, 987)

function service(name: string, ...states: HealthState[]): ServiceReport {
  const instances = states.map((state, i) => {
    const address = `${name}-${i}:80`
    const ejection = null
    return {
      address,
      state,
      drained: false,
      ejection,
      failures: 0,
      reason: null,
      since: 0,
      checkedAt: null,
      duration: null,
    }
  })
  return { service: name, instances }
}

test('everything is healthy if all instances are', () => {
  const reports = [service('user-service', 'healthy', 'healthy'), service('order-service', 'healthy')]
  assert.deepEqual(healthDocument(reports, null, '1.0.0', wall), {
    status: 'healthy',
    timestamp: '2024-01-15T10:30:00Z',
    version: '1.0.0',
    services: { 'user-service': 'healthy', 'order-service': 'healthy' },
  })
})

test('a service with some unhealthy instances is degraded, and so is the gateway', () => {
  const { status, services } = healthDocument(
    [service('a', 'healthy', 'unhealthy'), service('b', 'healthy')],
    null,
    '1',
    wall,
  )
  assert.equal(status, 'degraded')
  assert.deepEqual(services, { a: 'degraded', b: 'healthy' })
})

test('an instance waiting for its first check counts as unusable', () => {
  const { services } = healthDocument([service('a', 'pending'), service('b', 'pending', 'unknown')], null, '1', wall)
  assert.deepEqual(services, { a: 'unhealthy', b: 'degraded' })
})

test('a service with only unhealthy instances is unhealthy, and the gateway degraded', () => {
  const { status, services } = healthDocument([service('a', 'unhealthy', 'unhealthy')], null, '1', wall)
  assert.equal(status, 'degraded')
  assert.deepEqual(services, { a: 'unhealthy' })
})

test('an instance that was not checked counts as usable', () => {
  assert.deepEqual(healthDocument([service('a', 'unknown')], null, '1', wall).services, { a: 'healthy' })
  assert.deepEqual(healthDocument([service('a', 'unknown', 'unhealthy')], null, '1', wall).services, { a: 'degraded' })
})

test('a drained instance counts as unusable', () => {
  const used = { state: 'healthy', drained: false } as const
  const drained = { state: 'healthy', drained: true } as const
  assert.deepEqual(healthDocument([{ service: 'a', instances: [used, drained] }], null, '1', wall).services, {
    a: 'degraded',
  })
  assert.deepEqual(healthDocument([{ service: 'a', instances: [drained] }], null, '1', wall).services, {
    a: 'unhealthy',
  })
})

test('a service with only an instance of weight 0 usable is unhealthy', () => {
  const [spare, used] = [
    { state: 'healthy', drained: false, weight: 0 } as const,
    service('a', 'healthy').instances[0]!,
  ]
  const statusOf = (...instances: ServiceStates['instances']) => serviceStatus({ service: 'a', instances })
  assert.equal(statusOf(used, spare), 'healthy')
  assert.equal(statusOf({ ...used, state: 'unhealthy' }, spare), 'unhealthy')
  assert.equal(statusOf(used, { ...spare, state: 'unhealthy' }), 'degraded')
})

test('a gateway without services is healthy, and a service without instances is not', () => {
  assert.deepEqual(healthDocument([], null, '1', wall), {
    status: 'healthy',
    timestamp: '2024-01-15T10:30:00Z',
    version: '1',
    services: {},
  })
  assert.equal(healthDocument([service('a')], null, '1', wall).services['a'], 'unhealthy')
})

test('an unusable store makes the gateway degraded, and nothing else', () => {
  const document = healthDocument([service('a', 'healthy')], { redis: 'degraded' }, '1', wall)
  assert.equal(document.status, 'degraded')
  assert.deepEqual(document.services, { a: 'healthy' })
  assert.deepEqual(document.stores, { redis: 'degraded' })
})

test('the gateway is degraded while it runs an outdated configuration', () => {
  const document = healthDocument([service('a', 'healthy')], null, '1', wall, true)
  assert.deepEqual(document, {
    status: 'degraded',
    timestamp: '2024-01-15T10:30:00Z',
    version: '1',
    services: { a: 'healthy' },
    configuration: 'outdated',
  })
})
