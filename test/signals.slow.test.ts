import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { Command, run, start, temporaryFile, withDefaults } from './support/command.ts'
import { connect, refused, startRawService } from './support/peer.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const preload = new URL('support/kill-worker.ts', import.meta.url).href

async function setUp(t: TestContext, more = '', preloaded?: string) {
  const service = await startRawService(t)
  const yaml = `
workers: ${preloaded === undefined ? 1 : 2}
listeners: [{ address: '127.0.0.1:0' }]
services: { backend: { instances: ['${service.url}'], health: false } }
routes: [{ id: all, match: { path: /* }, service: backend }]
${more}`
  return { service, ...(await start(t, yaml, preloaded === undefined ? {} : { preload: preloaded })) }
}

/** A request that the service has received and not answered yet. */
async function inFlight(t: TestContext, { service, port }: Awaited<ReturnType<typeof setUp>>) {
  const client = await connect(t, port)
  client.write(GET)
  const peer = await service.accept()
  await peer.request()
  return { client, peer }
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)
  test(`${signal} lets a request in flight finish`, async (t) => {
    const gateway = await setUp(t)
    const { command, port } = gateway
    const { client, peer } = await inFlight(t, gateway)
    command.child.kill(signal)
    assert.equal((await command.line('Sallyport is stopping'))['signal'], signal)
    await refused(port)
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
    assert.equal((await client.reply()).body.toString(), 'late')
    client.end()
    const { code, signal: killed } = await command.ended
    assert.deepEqual([code, killed], [0, null])
  })

test('a second signal of any kind ends the process at once', async (t) => {
  for (const [second, killer] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
    // By default it would write a core dump.
    ['SIGQUIT', 'SIGTERM'],
  ] as const) {
    const gateway = await setUp(t, 'shutdownDelay: 1h')
    await inFlight(t, gateway)
    gateway.command.child.kill('SIGTERM')
    await gateway.command.line('Sallyport is stopping')
    gateway.command.child.kill(second)
    const { code, signal } = await gateway.command.ended
    assert.deepEqual([code, signal], [null, killer])
  }
})

test('SIGHUP during shutdown is ignored', async (t) => {
  const gateway = await setUp(t)
  const { command } = gateway
  const { client, peer } = await inFlight(t, gateway)
  command.child.kill('SIGTERM')
  command.child.kill('SIGHUP')
  await command.line('Sallyport is stopping')
  command.child.kill('SIGHUP')
  await refused(gateway.port)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate')
  assert.equal((await client.reply()).body.toString(), 'late')
  client.end()
  assert.equal((await command.ended).code, 0)
})

test('SIGUSR1 does not open the inspector', async (t) => {
  const { command, port } = await setUp(t)
  command.child.kill('SIGUSR1')
  await command.line('SIGUSR1 is ignored: it opens no inspector. To have one, start with NODE_OPTIONS=--inspect')
  assert.equal((await send(port, { path: '/health' })).status, 200)
  command.child.kill('SIGTERM')
  const { code, stderr } = await command.ended
  assert.equal(code, 0)
  assert.doesNotMatch(stderr, /Debugger listening/)
})

test('SIGUSR2 does not end a gateway that has not read its configuration yet', async (t) => {
  const pipe = join(dirname(await temporaryFile(t, 'other', '')), 'sallyport.yaml')
  execFileSync('mkfifo', [pipe])
  const command = new Command(['start', '--config', pipe])
  cleanUp(t, async () => {
    command.child.kill('SIGKILL')
    await command.ended
  })
  // Resolves when the gateway opens it for reading.
  const writer = await open(pipe, 'w')
  command.child.kill('SIGUSR2')
  await writer.writeFile(withDefaults("listeners: [{ address: '127.0.0.1:0' }]"))
  await writer.close()
  await command.line('Sallyport is listening')
})

test('a worker that dies during shutdownDelay is replaced, and its replacement is not ready either', async (t) => {
  const { command, port } = await setUp(t, 'shutdownDelay: 1h', preload)
  command.child.kill('SIGTERM')
  await command.line('Sallyport is stopping')
  command.child.kill('SIGUSR2')
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  let status = 0
  while (status === 0)
    status = await send(port, { path: '/health/ready' }).then(
      (reply) => reply.status,
      () => 0,
    )
  assert.equal(status, 503)
})

test('a second gateway on the same port fails to start with the reason, and starts once the first one has ended', async (t) => {
  const { command, port } = await setUp(t)
  const yaml = `{ admin: false, workers: 1, listeners: [{ address: '127.0.0.1:${port}' }] }`
  const file = await temporaryFile(t, 'sallyport.yaml', yaml)
  const { code, stderr } = await run(['start', '--config', file])
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`address already in use: 127\\.0\\.0\\.1:${port}: another process listens there`))
  assert.equal((await send(port, { path: '/health' })).status, 200)
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
  const second = await start(t, `workers: 1\nlisteners: [{ address: '127.0.0.1:${port}' }]`)
  assert.equal(second.port, port)
})
