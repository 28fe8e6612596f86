import assert from 'node:assert/strict'
import { open, writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { Command, type CommandOptions, startCommand, temporaryFile } from './support/command.ts'
import { holdSockets } from './support/holder.ts'
import { connect, startRawService } from './support/peer.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const APPLIED = 'Configuration applied'

/** A configuration that answers on these addresses; `more` is put at its end. */
function yaml(listeners: readonly string[], more = '', workers = 1): string {
  return `
workers: ${workers}
admin: false
endpoints: { docs: false, openapi: false }
listeners: [${listeners.join(', ')}]
routes: [{ id: own, match: { path: /* }, reply: { status: 200, body: own } }]
${more}`
}

const on = (port: number, more = '', host = '127.0.0.1'): string => `{ address: '${host}:${port}'${more} }`

async function start(t: TestContext, text: string, options: CommandOptions) {
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  return { file, ...(await startCommand(t, file, options)) }
}

/** How a start ends that cannot be. */
async function failure(t: TestContext, text: string, options: CommandOptions): Promise<string> {
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { code, stderr } = await new Command(['start', '--config', file], options).ended
  assert.equal(code, 1)
  return stderr.trim()
}

test('passed sockets are matched to listeners by address, in any order', async (t) => {
  const { ports, descriptors } = await holdSockets(t, ['127.0.0.1', '127.0.0.1', '::1'])
  const [plain, elsewhere, six] = ports as [number, number, number]
  const listeners = [on(six, '', '[0:0::1]'), on(elsewhere, ', redirectToHttps: 443'), on(plain, '', 'localhost')]
  const { command } = await start(t, yaml(listeners, '', 2), { sockets: descriptors })
  assert.equal((await send(plain)).status, 200)
  assert.equal((await send(elsewhere)).status, 308)
  assert.equal(command.log.filter(({ level }) => level === 'error').length, 0)
})

test('a passed socket without a listener is an error, as its clients would wait forever', async (t) => {
  const { ports, descriptors } = await holdSockets(t, ['127.0.0.1', '127.0.0.1'])
  const [one, two] = ports as [number, number]
  assert.equal(
    await failure(t, yaml([on(one)]), { sockets: descriptors }),
    `Sallyport could not start: no listener has the address of a passed socket: 127.0.0.1:${two}. ` +
      `The listeners are 127.0.0.1:${one}: use the same addresses for both`,
  )
})

test('a listener without a passed socket opens its own, and the log says that it cannot be handed over', async (t) => {
  const { ports, descriptors } = await holdSockets(t)
  const { command } = await start(t, yaml([on(ports[0]!), on(0)]), { sockets: descriptors })
  const { listeners } = await command.line('No socket was passed for a listener: no other process can take it over')
  assert.deepEqual(listeners, ['127.0.0.1:0'])
  const [, own] = (await command.line('Sallyport is listening'))['listeners'] as string[]
  assert.equal((await send(Number(own!.split(':')[1]))).status, 200)
  assert.equal((await send(ports[0]!)).status, 200)
})

test('sockets passed to another process are not used, and the log says so', async (t) => {
  const { command } = await start(t, yaml([on(0)]), { env: { LISTEN_FDS: '1', LISTEN_PID: '1' } })
  const { pid } = await command.line('The passed sockets are for another process and are not used')
  assert.equal(pid, '1')
})

test('a descriptor that is not a listening socket is an error', async (t) => {
  const file = await open(await temporaryFile(t, 'file', ''))
  cleanUp(t, () => file.close())
  assert.equal(
    await failure(t, yaml([on(0)]), { sockets: [file.fd] }),
    'A passed socket cannot be used: descriptor 3, listed in LISTEN_FDS, is not a listening TCP socket: ' +
      'in systemd, use ListenStream= with a port and Accept=no.',
  )
})

test('a client that connects while no process runs is answered by the next one', async (t) => {
  const { ports, descriptors } = await holdSockets(t)
  const text = yaml([on(ports[0]!)])
  const before = await start(t, text, { sockets: descriptors })
  before.command.child.kill('SIGTERM')
  assert.equal((await before.command.ended).code, 0)
  const client = await connect(t, ports[0]!)
  client.write(GET)
  await start(t, text, { sockets: descriptors })
  assert.equal((await client.reply()).start, 'HTTP/1.1 200 OK')
})

test('no connection is accepted before every instance has been checked', async (t) => {
  const service = await startRawService(t)
  const { ports, descriptors } = await holdSockets(t)
  const more = `services: { backend: { instances: ['${service.url}'], health: { timeout: 30s, interval: 60s } } }`
  const file = await temporaryFile(t, 'sallyport.yaml', yaml([on(ports[0]!)], more))
  const starting = startCommand(t, file, { sockets: descriptors })
  const check = await service.accept()
  await check.request()
  const client = await connect(t, ports[0]!)
  client.write('GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n')
  check.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.equal((await client.reply()).start, 'HTTP/1.1 200 OK')
  await starting
})

test('a kept-alive client gets one more reply while another process accepts, and then the process exits', async (t) => {
  const { ports, descriptors } = await holdSockets(t)
  const text = yaml([on(ports[0]!)])
  const preload = new URL('support/patient.ts', import.meta.url).href
  const { command } = await start(t, text, { preload, sockets: descriptors })
  const kept = await connect(t, ports[0]!)
  const ask = async (): Promise<string | undefined> => {
    kept.write(GET)
    const { start: line, fields } = await kept.reply()
    assert.equal(line, 'HTTP/1.1 200 OK')
    return fields.get('Connection')
  }
  assert.equal(await ask(), undefined)
  command.child.kill('SIGTERM')
  // Until its worker knows.
  while ((await ask()) !== 'close');
  const waiting = await connect(t, ports[0]!)
  kept.end()
  assert.equal((await command.ended).code, 0)
  waiting.write(GET)
  await start(t, text, { sockets: descriptors })
  assert.equal((await waiting.reply()).start, 'HTTP/1.1 200 OK')
})

test('a reload keeps the socket, stops accepting on it without a listener, and can use it again', async (t) => {
  const { ports, descriptors } = await holdSockets(t, ['127.0.0.1', '127.0.0.1'])
  const [stays, goes] = ports as [number, number]
  const { command, file } = await start(t, yaml([on(stays), on(goes)], '', 2), { sockets: descriptors })
  const reload = async (listeners: readonly string[], generation: number): Promise<void> => {
    await writeFile(file, yaml(listeners, '', 2))
    command.child.kill('SIGHUP')
    assert.equal((await command.lines(APPLIED, generation - 1)).at(-1)!['generation'], generation)
  }
  await reload([on(stays, ', redirectToHttps: 443')], 2)
  assert.equal((await send(stays)).status, 308)
  const client = await connect(t, goes)
  client.write(GET)
  const message = 'A passed socket has no listener: clients that connect there wait for another process'
  assert.deepEqual((await command.line(message))['sockets'], [`127.0.0.1:${goes}`])
  await reload([on(goes), on(stays)], 3)
  assert.equal((await client.reply()).start, 'HTTP/1.1 200 OK')
  assert.equal((await send(goes)).status, 200)
  assert.equal((await send(stays)).status, 200)
})

test('a replacement worker uses the same socket', async (t) => {
  const preload = new URL('support/kill-worker.ts', import.meta.url).href
  const { ports, descriptors } = await holdSockets(t)
  const { command } = await start(t, yaml([on(ports[0]!)]), { preload, sockets: descriptors })
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  assert.equal((await send(ports[0]!)).status, 200)
})
