import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { ConfigError } from '../src/config/problems.ts'
import { newKey, type Leaf } from './support/certificates.ts'
import { temporaryFile } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { runHere } from './support/run-here.ts'
import { authority, connectSecurely, replaceLeaf, tlsListeners, writeLeaf } from './support/tls.ts'

const GET = 'GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n'
const EXCHANGED = 'A certificate was replaced: new connections get the new one'

function fingerprintOf({ cert }: Leaf): string {
  return new X509Certificate(cert).fingerprint256
}

/** What the gateway shows to a client that asks for a name. */
async function shown(t: TestContext, port: number, servername: string, options: ConnectionOptions = {}) {
  const { socket } = await connectSecurely(t, port, { servername, rejectUnauthorized: false, ...options })
  const { fingerprint256 = '' } = socket.getPeerX509Certificate() ?? {}
  socket.end()
  return fingerprint256
}

function problemsOf(error: unknown): string[] {
  assert.ok(error instanceof ConfigError)
  return error.problems.map(({ path, message }) => `${path}: ${message}`)
}

test('the certificate is selected by server name, and the first one is the default', async (t) => {
  const leaves = {
    first: authority.issue({ names: ['first.test'] }),
    exact: authority.issue({ names: ['a.wild.test', 'Other.Test'] }),
    wild: authority.issue({ names: ['*.wild.test'] }),
  }
  const files = Object.values(leaves).map((leaf) => writeLeaf(t, leaf))
  const { port } = await startGateway(t, tlsListeners(files))
  for (const [name, leaf] of [
    ['first.test', leaves.first],
    ['a.wild.test', leaves.exact],
    ['OTHER.test', leaves.exact],
    ['b.wild.test', leaves.wild],
    ['wild.test', leaves.first],
    ['c.b.wild.test', leaves.first],
    ['none.test', leaves.first],
    ['', leaves.first],
  ] as const)
    assert.equal(await shown(t, port, name), fingerprintOf(leaf), name)
})

test('of two certificates for one name, a client gets the one with a key type it supports', async (t) => {
  const [ec, rsa] = [authority.issue(), authority.issue({ key: newKey('rsa') })]
  const { port } = await startGateway(t, tlsListeners([writeLeaf(t, rsa), writeLeaf(t, ec)]))
  const version = { maxVersion: 'TLSv1.2' } as const
  for (const [ciphers, leaf] of [
    ['ECDHE-ECDSA-AES128-GCM-SHA256', ec],
    ['ECDHE-RSA-AES128-GCM-SHA256', rsa],
  ] as const)
    assert.equal(await shown(t, port, 'localhost', { ...version, ciphers }), fingerprintOf(leaf), ciphers)
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`a request over ${version} for a name with another certificate than the connection’s is 421, also in a resumed session`, async (t) => {
    const files = [['a.test', '*.a.test'], ['b.test', '127.0.0.1', '::1'], ['own.a.test']].map((names) =>
      writeLeaf(t, authority.issue({ names })),
    )
    const { port } = await startGateway(t, tlsListeners(files))
    const options = { servername: 'a.test', minVersion: version, maxVersion: version }
    let session: Buffer | undefined
    for (const resumed of [false, true])
      for (const [host, status] of [
        ['a.test', 404],
        ['x.A.test:8443', 404],
        ['127.0.0.1', 404],
        ['[::1]:8443', 404],
        ['none.test', 404],
        ['own.a.test', 404],
        ['b.test', 421],
        ['B.TEST:443', 421],
        ['b.test.', 421],
        ['b.test.:443', 421],
      ] as const) {
        const { peer, socket } = await connectSecurely(t, port, { ...options, ...(resumed && { session }) })
        socket.on('session', (ticket) => (session = ticket))
        if (version === 'TLSv1.2') session = socket.getSession()
        assert.equal(socket.isSessionReused(), resumed)
        peer.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
        const reply = await peer.reply()
        assert.equal(reply.start.slice(9, 12), `${status}`, host)
        if (status === 421) assert.equal(reply.fields.get('Connection'), 'close')
      }
  })

test('a replaced certificate is used for new connections, and old ones stay open', async (t) => {
  const [before, after] = [authority.issue(), authority.issue()]
  const files = writeLeaf(t, before)
  const { port, log } = await startGateway(t, tlsListeners([files]))
  const { peer, socket } = await connectSecurely(t, port)
  assert.equal(socket.getPeerX509Certificate()?.fingerprint256, fingerprintOf(before))
  replaceLeaf(files, after)
  const line = await log.line({ message: EXCHANGED })
  assert.deepEqual(line['names'], ['localhost', '127.0.0.1', '::1'])
  assert.equal(await shown(t, port, 'localhost'), fingerprintOf(after))
  peer.write(GET)
  assert.equal((await peer.reply()).start, 'HTTP/1.1 200 OK')
})

test('an invalid pair is logged with file and reason, and the previous one stays in use', async (t) => {
  const [good, other] = [authority.issue(), authority.issue()]
  const files = writeLeaf(t, good)
  const { port, log } = await startGateway(t, tlsListeners([files]))
  replaceLeaf(files, { cert: other.cert, key: good.key })
  const line = await log.line({ message: 'A certificate cannot be used: the previous one stays in use' })
  assert.equal(line['level'], 'error')
  assert.deepEqual(line['problems'], [`${files.key}: does not match the certificate in ${files.cert}`])
  assert.equal(await shown(t, port, 'localhost'), fingerprintOf(good))
  replaceLeaf(files, other)
  await log.line({ message: EXCHANGED })
  assert.equal(await shown(t, port, 'localhost'), fingerprintOf(other))
  assert.ok(!JSON.stringify(log.lines).includes('PRIVATE KEY'))
})

test('an invalid pair at the start is a configuration problem with its place', async (t) => {
  const [good, expired] = [authority.issue(), authority.issue({ notBefore: 0, notAfter: 86_400_000 })]
  const files = [writeLeaf(t, good), writeLeaf(t, expired)]
  await assert.rejects(startGateway(t, tlsListeners(files)), (error) => {
    const [problem = '', ...others] = problemsOf(error)
    assert.match(problem, /^listeners\[0\]\.tls\.certificates\[1\]: .*tls\.crt: .*expired/)
    assert.deepEqual(others, [])
    return true
  })
})

test('check resolves file names relative to the configuration, and reports what is wrong with them', async (t) => {
  const file = await temporaryFile(
    t,
    'sallyport.yaml',
    'listeners: [{ address: 127.0.0.1:0, tls: { certificates: [{ cert: none.crt, key: none.key }] } }]\nroutes: []\n',
  )
  const { code, stderr } = await runHere(['check', file])
  assert.equal(code, 1)
  assert.match(stderr, /sallyport\.yaml:1:\d+: listeners\[0\]\.tls\.certificates\[0\]: .*\/none\.crt: /)
})
