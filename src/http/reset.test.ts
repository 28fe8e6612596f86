import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import test from 'node:test'
import { connect as secure, TLSSocket } from 'node:tls'
import { reset } from './reset.ts'

/** A key that both sides know instead of certificates. */
const psk = Buffer.alloc(16, 1)
const options = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' } as const

/** Both ends of a connection. */
async function connected(): Promise<{ accepted: Socket; opened: Socket }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepting = once(server, 'connection') as Promise<[Socket]>
  const opened = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = await accepting
  server.close()
  return { accepted, opened }
}

/** The same with TLS on both of them. */
async function secured(): Promise<{ accepted: Socket; opened: Socket }> {
  const { accepted, opened } = await connected()
  const server = new TLSSocket(accepted, { isServer: true, ...options, pskCallback: () => psk } as object)
  const client = secure({
    socket: opened,
    ...options,
    pskCallback: () => ({ psk, identity: 'a' }),
    checkServerIdentity: () => undefined,
  })
  await once(client, 'secureConnect')
  return { accepted: server, opened: client }
}

for (const [name, open] of [
  ['a connection', connected],
  ['a secured connection', secured],
] as const)
  for (const side of ['accepted', 'opened'] as const)
    test(`${name}, ${side}, is reset: the data does not look complete to its peer`, async () => {
      const ends = await open()
      const [here, there] = side === 'accepted' ? [ends.accepted, ends.opened] : [ends.opened, ends.accepted]
      for (const [from, to] of [
        [here, there],
        [there, here],
      ] as const) {
        from.write('a')
        await once(to, 'data')
      }
      const closed = Promise.all([once(here, 'close'), once(there, 'error')])
      reset(here)
      const [, [error]] = (await closed) as [unknown, [NodeJS.ErrnoException]]
      assert.equal(error.code, 'ECONNRESET')
    })
