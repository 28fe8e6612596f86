import assert from 'node:assert/strict'
import { open, readFile } from 'node:fs/promises'
import test from 'node:test'
import { COLLECTS_ALONE } from '../src/workers/collector-flags.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { type Command, run, start, startCommand, temporaryFile, withDefaults } from './support/command.ts'
import { holdSockets } from './support/holder.ts'

/** A configuration that replies on that port. */
const yaml = (port: number): string =>
  withDefaults(`
listeners: [{ address: '127.0.0.1:${port}' }]
routes: [{ id: own, match: { path: /* }, reply: { status: 200, body: own } }]
`)

/** Whether the process that was started collects garbage alone; it keeps its id. */
async function collectsAlone({ child }: Command): Promise<boolean> {
  return (await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).split('\0').includes(COLLECTS_ALONE)
}

test('on one core, a gateway replaces itself with one whose threads collect garbage alone', async (t) => {
  const { command, port } = await start(t, yaml(0), { oneCore: true })
  assert.equal(await collectsAlone(command), true)
  assert.equal((await send(port)).status, 200)
  command.child.kill('SIGTERM')
  const { code, signal } = await command.ended
  assert.deepEqual({ code, signal }, { code: 0, signal: null })
})

test('other commands do not take the time for it', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml(0))
  const preload = await temporaryFile(t, 'begun.mjs', "process.stderr.write('begun\\n')")
  const { code, stderr } = await run(['check', '--config', file], { oneCore: true, preload })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: 'begun\n' })
})

test('a gateway does not replace itself if it would lose the sockets that were passed to it', async (t) => {
  const { ports, descriptors } = await holdSockets(t)
  const { command } = await start(t, yaml(ports[0]!), { oneCore: true, sockets: descriptors })
  assert.equal(await collectsAlone(command), false)
  assert.equal((await send(ports[0]!)).status, 200)
})

test('a gateway does not replace itself if it would lose the file that was passed to it', async (t) => {
  const file = await open(await temporaryFile(t, 'sallyport.yaml', yaml(0)))
  cleanUp(t, () => file.close())
  const { command, port } = await startCommand(t, '/dev/fd/3', {
    oneCore: true,
    sockets: [file.fd],
    env: { LISTEN_FDS: '' },
  })
  assert.equal(await collectsAlone(command), false)
  assert.equal((await send(port)).status, 200)
})
