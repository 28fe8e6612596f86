import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { once } from 'node:events'
import test from 'node:test'
import { copySockets } from './copy-sockets.ts'

/** Timers that keep the process. */
const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

test('a copy listens on the port of its socket, and leaves no timer behind', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { fd } = Reflect.get(server, '_handle') as { fd: number }
  const before = timers()
  const [copy] = await copySockets([fd], [{ host: '127.0.0.1', port }])
  assert.notEqual(copy!.fd, fd)
  // Those of earlier tests may end meanwhile.
  assert.ok(timers() <= before)
  copy!.close()
})

test('a closed descriptor, or one that is no socket, rejects rather than throws', async () => {
  for (const descriptor of [100_000, 0])
    await assert.rejects(copySockets([descriptor], [{ host: '127.0.0.1', port: 1 }]))
})
