import assert from 'node:assert/strict'
import { fstatSync, openSync, closeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { writeFolder } from '../../test/support/folder.ts'
import { turnUntil } from '../../test/support/settled.ts'
import { AcceptQueue } from './accept-queue.ts'
import { Acceptor } from './acceptor.ts'

const isLinux = process.platform === 'linux'

/** A line of the table, padded as the kernel does. */
function line(state: string, waiting: number, inode: number | string): string {
  const queues = `00000000:${waiting.toString(16).toUpperCase().padStart(8, '0')}`
  const text = `   0: 0100007F:1F40 00000000:0000 ${state} ${queues} 00:00000000 00000000     0        0 ${inode} 1 0`
  return `${text.padEnd(149)}\n`
}

const HEADING = `${'  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'.padEnd(149)}\n`

test('connections that are not yet accepted are counted', async (t) => {
  const acceptor = new Acceptor()
  cleanUp(t, () => acceptor.close())
  const { port } = await acceptor.listen({ host: '127.0.0.1', port: 0 }, false)
  const queue = new AcceptQueue()
  assert.equal(queue.of(acceptor.descriptor!), 0)
  const clients = Array.from({ length: 5 }, () => connect({ host: '127.0.0.1', port }))
  cleanUp(t, () => clients.forEach((client) => client.destroy()))
  // They connect in this turn of the event loop, and are accepted in the next ones.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  assert.equal(queue.of(acceptor.descriptor!), isLinux ? 5 : 0)
  await turnUntil('all connections to be accepted', () => acceptor.accepted === 5)
  assert.equal(queue.of(acceptor.descriptor!), 0)
})

test('a socket is found by inode in either table', async (t) => {
  const file = openSync(import.meta.filename, 'r')
  cleanUp(t, () => closeSync(file))
  const { ino } = fstatSync(file)
  const others = Array.from({ length: 100 }, (_, n) => line('0A', 7, `other${n}`)).join('')
  const connected = line('01', 9, ino)
  for (const [tcp, tcp6, expected] of [
    [others + line('0A', 300, ino) + connected, '', 300],
    [others + connected, HEADING + line('0A', 12, ino), 12],
    [others + connected, HEADING + others, 0],
  ] as const) {
    const folder = await writeFolder(t, { tcp: HEADING + tcp, tcp6 })
    assert.equal(new AcceptQueue(folder).of(file), expected)
  }
})

test('without the tables of the system the count is 0', () => {
  assert.equal(new AcceptQueue(join(import.meta.dirname, 'nowhere')).of(0), 0)
  assert.equal(new AcceptQueue().of(-1), 0)
})
