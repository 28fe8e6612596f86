import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import type { GatewayInput } from '../src/gateway.ts'
import { start } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { authority, type CertificateFiles, connectSecurely, tlsListeners, writeLeaf } from './support/tls.ts'

const GET = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'
const HOUR = 3_600_000
const versions = ['TLSv1.2', 'TLSv1.3'] as const
const secrets = 'a secret of the gateways that is long enough'

/** Connects, asks, and takes the last ticket that came meanwhile. */
async function visit(t: TestContext, port: number, options: ConnectionOptions) {
  const { peer, socket } = await connectSecurely(t, port, options)
  // That of TLS 1.2 is part of the handshake.
  let session = socket.getProtocol() === 'TLSv1.2' ? socket.getSession() : undefined
  socket.on('session', (ticket) => (session = ticket))
  peer.write(GET)
  assert.equal((await peer.reply()).start, 'HTTP/1.1 200 OK')
  const reused = socket.isSessionReused()
  peer.end()
  await peer.closed()
  return { reused, session }
}

function gateway(t: TestContext, files: readonly CertificateFiles[], config: GatewayInput = {}, clock?: ManualClock) {
  return startGateway(t, { ...tlsListeners(files), ...config }, clock === undefined ? {} : { clock })
}

for (const version of versions) {
  const only = { minVersion: version, maxVersion: version }

  test(`a session of ${version} can be resumed at another gateway with the same secrets only`, async (t) => {
    const files = [writeLeaf(t, authority.issue())]
    const [one, two] = [
      await gateway(t, files, { secrets }),
      await gateway(t, files, { secrets: ['b'.repeat(32), secrets] }),
    ]
    const other = await gateway(t, files)
    const { reused, session } = await visit(t, one.port, only)
    assert.equal(reused, false)
    assert.equal((await visit(t, one.port, { ...only, session })).reused, true)
    assert.equal((await visit(t, two.port, { ...only, session })).reused, true)
    assert.equal((await visit(t, other.port, { ...only, session })).reused, false)
  })

  for (const [what, config] of [
    ['derived from secrets', { secrets }],
    ['generated at random', {}],
  ] as const)
    test(`keys ${what} rotate every hour, and the previous ones still resume ${version}`, async (t) => {
      const clock = new ManualClock(Math.floor(Date.now() / HOUR) * HOUR + 1)
      const { port } = await gateway(t, [writeLeaf(t, authority.issue())], config, clock)
      const first = await visit(t, port, only)
      clock.step(HOUR)
      const second = await visit(t, port, { ...only, session: first.session })
      assert.equal(second.reused, true)
      clock.step(HOUR)
      assert.equal((await visit(t, port, { ...only, session: first.session })).reused, false)
      // What came when the first was resumed is of the hour in which it was.
      assert.equal((await visit(t, port, { ...only, session: second.session })).reused, true)
      clock.step(2 * HOUR)
      assert.equal((await visit(t, port, { ...only, session: second.session })).reused, false)
    })

  test(`a session of ${version} for one server name cannot be resumed for another`, async (t) => {
    const [a, b] = ['a.test', 'b.test'].map((name) => writeLeaf(t, authority.issue({ names: [name] })))
    const { port } = await gateway(t, [a!, b!])
    const { session } = await visit(t, port, { ...only, servername: 'a.test' })
    assert.equal((await visit(t, port, { ...only, servername: 'a.test', session })).reused, true)
    // Node's client notes the name beside a session, and would not offer it for another one.
    const forged = Buffer.from(session!.toString('latin1').replaceAll('a.test', 'b.test'), 'latin1')
    const options = { ...only, servername: 'b.test', rejectUnauthorized: false }
    const other = await visit(t, port, { ...options, session: forged })
    assert.equal(other.reused, false)
    assert.equal((await visit(t, port, { ...options, session: other.session })).reused, true)
  })
}

test('a session of one worker can be resumed by all', async (t) => {
  const { cert, key } = writeLeaf(t, authority.issue())
  const yaml = `
workers: 2
listeners: [{ address: 127.0.0.1:0, tls: { certificates: [{ cert: '${cert}', key: '${key}' }] } }]
routes: []
endpoints: { docs: false, openapi: false }
`
  const { command, port } = await start(t, yaml)
  for (const version of versions) {
    const only = { minVersion: version, maxVersion: version }
    const { session } = await visit(t, port, only)
    // The system spreads connections over the workers: all of these at the same one are as likely as twenty heads in a row.
    for (let i = 0; i < 20; i++) assert.equal((await visit(t, port, { ...only, session })).reused, true)
  }
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
})
