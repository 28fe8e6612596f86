import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanUp } from './cleanup.ts'

/** A connection that has not been made after this many milliseconds is not going to be. */
const FULL = 300

const PROGRAM = `
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.stdout.write(String(server.address().port))
})`

/** A port on which the system neither completes nor refuses a connection, until the end of the test. */
export async function startDeafService(t: TestContext): Promise<{ readonly port: number; readonly url: string }> {
  const child = spawn(process.execPath, ['--eval', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(text.toString())
  child.kill('SIGSTOP')
  // A suspended process accepts nothing: once its backlog is full, the system drops further connection attempts.
  for (;;) {
    const socket = connectSocket({ port, host: '127.0.0.1' })
    cleanUp(t, () => socket.destroy())
    const connected = once(socket, 'connect').then(() => true)
    if (!(await Promise.race([connected, isConnectedLater(socket)]))) return { port, url: `http://127.0.0.1:${port}` }
  }
}

/** The event loop notices a connection that was made in time only after its timers. */
async function isConnectedLater(socket: Socket): Promise<boolean> {
  await delay(FULL)
  await new Promise(setImmediate)
  return !socket.connecting
}
