import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { selfSigned } from '../../test/support/certificates.ts'
import { cleanUp } from '../../test/support/cleanup.ts'
import { systemClock } from '../core/clock.ts'
import { Transport } from './transport.ts'

test('the certificate of a CA is verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async (t) => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'])
  const pair = selfSigned()
  const server = createServer(pair, (_, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = (ca?: string) => {
    const transport = new Transport(systemClock, new AbortController().signal, ca)
    cleanUp(t, () => transport.close())
    return transport.send({ method: 'GET', url: `https://localhost:${port}/` })
  }
  cleanUp(t, () => server.close())
  await assert.rejects(ask(), { name: 'AcmeError', message: /cannot be reached: self-signed certificate/ })
  assert.equal((await ask(pair.cert)).status, 200)
})
