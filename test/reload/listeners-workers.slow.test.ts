import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import test, { type TestContext } from 'node:test'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { connect, refused } from '../support/peer.ts'
import { freePorts } from '../support/redis.ts'
import { authority, connectSecurely, writeLeaf } from '../support/tls.ts'

const preload = new URL('../support/kill-worker.ts', import.meta.url).href
const DIED = 'A worker died and is replaced'
const APPLIED = 'Configuration applied'

/** A gateway with that many workers, with the listeners in the lines. */
async function startOn(t: TestContext, workers: number, lines: readonly string[]) {
  const textOf = (listeners: readonly string[]): string => `
workers: ${workers}
admin: false
drainTimeout: 1h
limits: { headTimeout: 1h }
endpoints: { docs: false, openapi: false }
listeners: [${listeners.join(', ')}]
routes: [{ id: all, match: { path: /* }, reply: { status: 200, body: ok } }]
`
  const file = await temporaryFile(t, 'sallyport.yaml', textOf(lines))
  const { command } = await startCommand(t, file, { preload })
  let reloads = 0
  const reload = async (listeners: readonly string[], message = APPLIED): Promise<void> => {
    await writeFile(file, textOf(listeners))
    command.child.kill('SIGHUP')
    await command.lines(message, message === APPLIED ? ++reloads : 1)
  }
  return { command, reload }
}

const at = (port: number): string => `{ address: "127.0.0.1:${port}" }`

/** Sends requests over as many new connections, so that each worker has some. */
async function askMany(port: number): Promise<void> {
  const replies = await Promise.all(Array.from({ length: 20 }, () => send(port)))
  for (const { status, text } of replies) assert.deepEqual([status, text], [200, 'ok'])
}

test('all workers listen on an added address, and a removed one is free at once', async (t) => {
  const [stays, goes, comes] = await freePorts(3)
  const { reload } = await startOn(t, 2, [at(stays!), at(goes!)])
  const peer = await connect(t, stays!)
  await reload([at(comes!), at(stays!)])
  await Promise.all([askMany(stays!), askMany(comes!)])
  const other = createServer().listen(goes, '127.0.0.1')
  await once(other, 'listening')
  await new Promise((resolve) => void other.close(resolve))
  await reload([at(goes!), at(stays!), at(comes!)])
  await askMany(goes!)
  peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  assert.equal((await peer.reply()).fields.get('Connection'), undefined)
})

test('a restarted worker listens on the current addresses, and no connection is lost', async (t) => {
  const [stays, goes, comes] = await freePorts(3)
  const { command, reload } = await startOn(t, 1, [at(stays!), at(goes!)])
  await reload([at(comes!), at(stays!)])
  for (let i = 1; i <= 2; i++) {
    command.child.kill('SIGUSR2')
    await command.lines(DIED, i)
    // The next worker has only begun to start: connections wait in the copies of its sockets.
    await Promise.all([askMany(stays!), askMany(comes!)])
    await refused(goes!)
  }
})

test('a port in use rejects the change in all workers', async (t) => {
  const [stays, never] = await freePorts(2)
  const { reload } = await startOn(t, 2, [at(stays!)])
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  await reload([at(stays!), at(never!), at(port)], 'Configuration refused: the running one is kept')
  await refused(never!)
  await askMany(stays!)
})

test('after a reload all workers use TLS with the new certificate', async (t) => {
  const [port] = await freePorts(1)
  const { cert, key } = writeLeaf(t, authority.issue())
  const { reload } = await startOn(t, 2, [at(port!)])
  const plain = await connect(t, port!)
  // It has started another request: an idle client is disconnected after a while.
  plain.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n')
  assert.equal((await plain.reply()).body.toString(), 'ok')
  await reload([`{ address: "127.0.0.1:${port}", tls: { certificates: [{ cert: "${cert}", key: "${key}" }] } }`])
  for (let i = 0; i < 10; i++) {
    const { peer } = await connectSecurely(t, port!)
    peer.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.equal((await peer.reply()).body.toString(), 'ok')
  }
  plain.write('Host: a\r\n\r\n')
  assert.equal((await plain.reply()).fields.get('Connection'), 'close')
})

test('adding a specific address next to a wildcard on the same port, or removing either, loses no connection', async (t) => {
  const [port] = await freePorts(1)
  const [all, one] = [`{ address: "0.0.0.0:${port}" }`, at(port!)]
  const { reload } = await startOn(t, 2, [all])
  for (const listeners of [[all, one], [one], [all, one], [all]]) {
    await reload(listeners)
    await askMany(port!)
  }
})
