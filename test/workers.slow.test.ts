import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { start, temporaryFile } from './support/command.ts'
import { TIMEOUT } from './support/timeout.ts'
import { startService, type TestService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

const KILLED = 'A worker is blocked in a system call that does not return: the process is killed'
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
  const deadline = Date.now() + TIMEOUT
  while (service.connections < connections) {
    assert.ok(Date.now() < deadline, `${service.connections} connections to the service`)
    assert.equal((await send(port)).status, 200)
  }
}

test('workers share one port, and each of them handles requests', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 2)
  await askUntil(port, service, 2)
  for (let i = 0; i < 50; i++) await send(port)
  assert.equal(service.connections, 2)
  command.child.kill('SIGTERM')
  const { code } = await command.ended
  assert.equal(code, 0)
  assert.equal(command.log.filter(({ message }) => message === 'API Gateway Request').length, service.received.length)
})

test('a worker that dies is replaced and logged, and the other one keeps serving', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 2)
  await askUntil(port, service, 2)
  command.child.kill('SIGUSR2')
  const line = await command.line('A worker died and is replaced')
  assert.equal(line['level'], 'error')
  await askUntil(port, service, 3)
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
})

test('connections opened while the only worker is replaced wait for the next one', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 1)
  await askUntil(port, service, 1)
  for (let i = 1; i <= 3; i++) {
    command.child.kill('SIGUSR2')
    await command.lines('A worker died and is replaced', i)
    // The next worker has hardly begun to start.
    const replies = await Promise.all(Array.from({ length: 20 }, () => send(port)))
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
  }
  assert.equal((await send(port, { path: '/health/ready' })).status, 200)
  assert.deepEqual(
    command.log.filter(({ restart_ms }) => restart_ms !== undefined).map(({ restart_ms }) => restart_ms),
    [0, 0, 0],
  )
})

/** A policy that does to its thread what the path says. */
async function startHarmful(t: TestContext, more: string, flag = '', fifo = '') {
  const api = new URL('../src/gateway.ts', import.meta.url).href
  const file = await temporaryFile(
    t,
    'harmful.ts',
    `import { existsSync, readFileSync } from 'node:fs'
import { definePolicy, z } from '${api}'
if (existsSync('${flag}')) throw new Error('not now')
function spin() { for (;;) Math.sqrt(2) }
export default definePolicy({
  name: 'harmful',
  summary: 'Ends the thread.',
  options: z.strictObject({}),
  create: () => (next) => async (exchange) => {
    const reply = await next(exchange)
    if (exchange.path === '/fatal') process.exit(7)
    if (exchange.path === '/loop') spin()
    if (exchange.path === '/block') readFileSync('${fifo}')
    if (exchange.path === '/leak') for (const all = [];;) all.push(Array.from({ length: 10_000 }, Math.random))
    return reply
  },
})
`,
  )
  return start(
    t,
    `
listeners: [{ address: '127.0.0.1:0' }]
ownPolicies: ['${file}']
policies: { harmful: {} }
routes: [{ id: all, match: { path: /* }, reply: { status: 200 } }]
${more}`,
  )
}

test('a request that kills a worker fails, and no others', async (t) => {
  const { command, port } = await startHarmful(t, 'workers: 2')
  let answered = 0
  for (let i = 1; i <= 3; i++) {
    await assert.rejects(send(port, { path: '/fatal' }))
    const replies = await Promise.all(Array.from({ length: 25 }, () => send(port)))
    answered += replies.filter(({ status }) => status === 200).length
    await command.lines('A worker died and is replaced', i)
  }
  assert.equal(answered, 75)
  const { reason, code, restart_ms } = await command.line('A worker died and is replaced')
  assert.deepEqual([reason, code, restart_ms], ['exit', 7, 0])
})

test('a worker in an endless loop is replaced, and the log has the policy, the route and the line', async (t) => {
  const { command, port } = await startHarmful(t, 'workers: 1\nworkerTimeout: 500ms')
  const looping = assert.rejects(send(port, { path: '/loop' }))
  const line = await command.line('A worker is stuck and is replaced')
  assert.deepEqual([line['level'], line['worker'], line['policy'], line['route']], ['error', 0, 'harmful', 'all'])
  assert.ok(Number(line['blocked_ms']) >= 500)
  assert.match(String((line['stack'] as string[])[0]), /^spin \(file:.*harmful\.ts.*:4:\d+\)$/)
  assert.equal((await send(port)).status, 200)
  await looping
  const metrics = (await send(port, { path: '/metrics' })).text
  assert.match(metrics, /^sallyport_worker_restarts_total\{reason="stuck"\} 1$/m)
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
})

test('a worker that dies during the start of others is replaced', async (t) => {
  const service = await startService(t)
  const { command, port } = await startWorkers(t, service, 2, 'false', { KILL_AT_WORKER: '2' })
  await askUntil(port, service, 2)
  const deaths = command.log.filter(({ restart_ms }) => restart_ms !== undefined)
  assert.deepEqual(
    deaths.map(({ worker, reason }) => [worker, reason]),
    [[0, 'exit']],
  )
})

test('a worker that exceeds memoryLimit is replaced', async (t) => {
  const { command, port } = await startHarmful(t, 'workers: 1\nmemoryLimit: 256mb')
  await assert.rejects(send(port, { path: '/leak' }))
  const line = await command.line('A worker died and is replaced')
  assert.deepEqual([line['reason'], (line['error'] as { code: string }).code], ['memory', 'ERR_WORKER_OUT_OF_MEMORY'])
  assert.equal((await send(port)).status, 200)
  const metrics = (await send(port, { path: '/metrics' })).text
  assert.match(metrics, /^sallyport_memory_limit_bytes 268435456$/m)
})

test('a worker that cannot be started is retried with backoff', async (t) => {
  const flag = await temporaryFile(t, 'flag', '')
  await rm(flag)
  const { command, port } = await startHarmful(t, 'workers: 2', flag)
  await writeFile(flag, '')
  await assert.rejects(send(port, { path: '/fatal' }))
  await command.lines('A worker died and is replaced', 3)
  // The other one has all connections by now.
  for (let i = 0; i < 20; i++) assert.equal((await send(port)).status, 200)
  await rm(flag)
  const deaths = command.log.filter(({ restart_ms }) => restart_ms !== undefined)
  assert.deepEqual(
    deaths.slice(0, 3).map(({ reason, restart_ms }) => [reason, restart_ms]),
    [
      ['exit', 0],
      ['start', 100],
      ['start', 200],
    ],
  )
})

test('a worker that cannot be terminated does not keep the process alive', async (t) => {
  const fifo = join(dirname(await temporaryFile(t, 'x', '')), 'fifo')
  execFileSync('mkfifo', [fifo])
  const { command, port } = await startHarmful(t, 'workers: 1\ndrainTimeout: 1s', '', fifo)
  const blocked = assert.rejects(send(port, { path: '/block' }))
  // Nobody can write before somebody reads.
  let writer: number | null = null
  while (writer === null) {
    await new Promise(setImmediate)
    try {
      writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      writer = null
    }
  }
  cleanUp(t, () => closeSync(writer))
  command.child.kill('SIGTERM')
  const { signal } = await command.ended
  assert.equal(signal, 'SIGKILL')
  assert.equal(command.log.at(-1)?.['message'], KILLED)
  await blocked
})

test('instances are checked once, however many workers there are, and each worker knows the result', async (t) => {
  let checks = 0
  const service = await startService(t, undefined, {
    health: () => {
      checks++
      return 503
    },
  })
  const { port } = await startWorkers(t, service, 3, '{ interval: 1h }')
  await turnUntil('readiness', async () => (await send(port, { path: '/health/ready' })).status === 200)
  for (let i = 0; i < 20; i++) assert.equal((await send(port)).status, 503)
  assert.equal(checks, 1)
  assert.equal(service.received.length, 0)
})

test('a worker that is still starting does not delay shutdown', async (t) => {
  const service = await startService(t)
  // A name takes a moment to become an address.
  const env = { STOP_AT_WORKER: '2', LISTEN: 'localhost:0' }
  const { command } = await startWorkers(t, service, 1, 'false', env)
  command.child.kill('SIGUSR2')
  const { code, signal } = await command.ended
  assert.deepEqual([code, signal], [0, null])
})
