import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import * as h2 from '../support/http2-frames.ts'
import { connectHttp2 } from '../support/http2-peer.ts'
import { startHttp2Service } from '../support/http2-service.ts'

const REPLY = Buffer.alloc(60_000, 'x')
/** As many as one connection may have, in streams that can each buffer a reply. */
const STREAMS = 120
/** More than the buffer for replies. */
const CONNECTIONS = 30

const from = (address: string): h2.Fields => [['x-forwarded-for', address]]

test('a client that reads no replies leaves room for those of others', async (t) => {
  const service = await startHttp2Service(t, (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(REPLY)
  })
  const config = proxyTo(service.url, { service: { http2: true }, trustedProxies: ['127.0.0.1'] })
  // On a clock that stands still, nobody is cut off for reading nothing.
  const { port } = await startGateway(t, config, { clock: new ManualClock() })
  let refused = 0
  for (let n = 0; n < CONNECTIONS && refused === 0; n++) {
    const greedy = await connectHttp2(t, port, { settings: { 4: 0 }, forgets: true })
    const ids = Array.from({ length: STREAMS }, (_, at) => 2 * at + 1)
    for (const id of ids) greedy.write(h2.get(id, '/', from('203.0.113.1')))
    await greedy.until('all heads', () => ids.every((id) => greedy.stream(id).status !== 0))
    await greedy.settled()
    refused = ids.filter((id) => greedy.stream(id).reset !== null).length
  }
  assert.ok(refused > 0, 'it gets no more than its share')
  const other = await connectHttp2(t, port)
  other.write(h2.get(1, '/', from('203.0.113.2')))
  const { status, bytes, ended } = await other.over(1)
  assert.deepEqual([status, bytes, ended], [200, REPLY.length, true])
})
