import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'

/**
 * Stops a service and holds its port until the end of the test: it refuses connections, and the system does not give it
 * to the next service that listens on port 0, which would get requests meant for this one. Listening on it again is
 * possible.
 */
export async function holdPort(t: TestContext, port: number, stop: () => Promise<void>): Promise<void> {
  const other = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(other, 'listening')
  // Not before `other` listens: the system tends to give it the port that was just left.
  await stop()
  const to = (other.address() as AddressInfo).port
  const holder = connect({ port: to, host: '127.0.0.1', localAddress: '127.0.0.1', localPort: port })
  await once(holder, 'connect')
  cleanUp(t, () => {
    holder.destroy()
    other.close()
  })
}
