import assert from 'node:assert/strict'
import test from 'node:test'
import { InheritedSockets } from './inherited-sockets.ts'

test('the variables are removed from the environment, whichever process the sockets are for', () => {
  const environment = { LISTEN_PID: '1', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', LISTEN_PIDFDID: '3', HOME: '/' }
  const given = new InheritedSockets(environment, 2)
  assert.deepEqual(environment, { HOME: '/' })
  assert.deepEqual([given.size, given.stray], [0, '1'])
})

test('no socket is inherited without the variables', async () => {
  const given = new InheritedSockets({}, 2)
  assert.deepEqual([given.size, given.stray], [0, null])
  assert.deepEqual(await given.find([{ host: '127.0.0.1', port: 1 }]), [null])
})

for (const count of ['0', '-1', 'x', '1.5', '10000'])
  test(`"${count}" is an invalid number of sockets`, () => {
    assert.throws(() => new InheritedSockets({ LISTEN_PID: '2', LISTEN_FDS: count }, 2), {
      message: `LISTEN_FDS is "${count}": expected the number of sockets`,
    })
  })
