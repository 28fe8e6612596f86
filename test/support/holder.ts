import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { copySockets } from '../../src/workers/copy-sockets.ts'
import { cleanUp } from './cleanup.ts'

/** Sockets that stay open until the end of the test whichever process accepts from them, like those of systemd. */
export async function holdSockets(t: TestContext, hosts: readonly string[] = ['127.0.0.1']) {
  const held = await Promise.all(hosts.map((host) => hold(t, host)))
  return {
    ports: held.map(({ port }) => port),
    /** To pass to processes. */
    descriptors: held.map(({ descriptor }) => descriptor),
  }
}

async function hold(t: TestContext, host: string) {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { fd } = Reflect.get(server, '_handle') as { fd: number }
  // A server would accept connections; its copy does not.
  const [copy] = await copySockets([fd], [{ host, port }])
  server.close()
  cleanUp(t, () => copy!.close())
  return { port, descriptor: copy!.fd }
}
