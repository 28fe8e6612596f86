import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { PATIENCE } from './support/patience.ts'
import { startService, type TestService } from './support/service.ts'

const preload = new URL('support/kill-worker.ts', import.meta.url).href

function startWorkers(t: TestContext, service: TestService, workers: number, health = 'false', env = {}) {
  const yaml = `
workers: ${workers}
listeners: [{ address: '\${LISTEN:-127.0.0.1:0}' }]
services:
  backend: { instances: ['${service.url}'], health: ${health} }
routes: [{ id: all, match: { path: /* }, service: backend }]
`
  return start(t, yaml, { preload, env })
}

/** Asks over new connections until that many have come to the service: each worker has its own. */
async function askUntil(port: number, service: TestService, connections: number): Promise<void> {
  const deadline = Date.now() + PATIENCE
  while (service.connections < connections) {
    assert.ok(Date.now() < deadline, `${service.connections} connections to the service`)
    assert.equal((await send(port)).status, 200)
  }
}

test('workers share one port, and each of them serves', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 2)
  await askUntil(port, service, 2)
  for (let i = 0; i < 50; i++) await send(port)
  assert.equal(service.connections, 2)
  command.child.kill('SIGTERM')
  const { code } = await command.ended
  assert.equal(code, 0)
  assert.equal(command.log.filter(({ message }) => message === 'API Gateway Request').length, service.heard.length)
})

test('a worker that dies is replaced and logged, and the other one serves on', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 2)
  await askUntil(port, service, 2)
  command.child.kill('SIGUSR2')
  const line = await command.line('A worker died; another one takes its place')
  assert.equal(line['level'], 'error')
  await askUntil(port, service, 3)
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
})

test('the only worker is replaced too, on the same port', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 1)
  await askUntil(port, service, 1)
  command.child.kill('SIGUSR2')
  await command.line('A worker died; another one takes its place')
  const deadline = Date.now() + PATIENCE
  let status = 0
  while (status !== 200) {
    assert.ok(Date.now() < deadline, 'nobody listens any more')
    status = await send(port).then(
      (reply) => reply.status,
      () => 0,
    )
  }
  assert.equal((await send(port, { path: '/health/ready' })).status, 200)
})

test('instances are checked once, whatever the number of workers, and each worker knows', async (t) => {
  let checks = 0
  const service = await startService(t, undefined, {
    health: () => {
      checks++
      return 503
    },
  })
  const { port } = await startWorkers(t, service, 3, '{ interval: 1h }')
  const deadline = Date.now() + PATIENCE
  while ((await send(port, { path: '/health/ready' })).status !== 200) assert.ok(Date.now() < deadline)
  for (let i = 0; i < 20; i++) assert.equal((await send(port)).status, 503)
  assert.equal(checks, 1)
  assert.equal(service.heard.length, 0)
})

test('a worker that is still starting is no obstacle to the end', async (t) => {
  const service = await startService(t)
  // A name takes a moment to become an address.
  const env = { STOP_AT_WORKER: '2', LISTEN: 'localhost:0' }
  const { command } = await startWorkers(t, service, 1, 'false', env)
  command.child.kill('SIGUSR2')
  const { code, signal } = await command.ended
  assert.deepEqual([code, signal], [0, null])
})
