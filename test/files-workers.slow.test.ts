/** Files that the gateway reads again when they change, with several workers. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { start, temporaryFile } from './support/command.ts'
import { TIMEOUT } from './support/timeout.ts'
import { authority, connectSecurely, replaceLeaf, writeLeaf } from './support/tls.ts'
import { authority as serviceAuthority, startTlsService } from './support/tls-service.ts'

const preload = new URL('support/kill-worker.ts', import.meta.url).href

test('all workers use replaced files, and so do replacements of workers', async (t) => {
  const service = await startTlsService(t, {
    ca: serviceAuthority.cert,
    requestCert: true,
    answer(_, socket) {
      const name = String(socket.getPeerCertificate().subject.CN)
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\nConnection: close\r\n\r\n${name}`)
    },
  })
  const [before, after] = [authority.issue(), authority.issue()]
  const files = writeLeaf(t, before)
  const clientOf = (commonName: string) => serviceAuthority.issueClient({ subject: { commonName } })
  const client = writeLeaf(t, clientOf('first'))
  const ca = await temporaryFile(t, 'ca.pem', serviceAuthority.cert)
  const list = await temporaryFile(t, 'list.txt', '# nobody yet\n192.0.2.0/24\n')
  const { command, port } = await start(
    t,
    `
workers: 2
listeners: [{ address: 127.0.0.1:0, tls: { certificates: [{ cert: '${files.cert}', key: '${files.key}' }] } }]
services:
  backend: { instances: ['${service.url}'], health: false, tls: { ca: '${ca}', cert: '${client.cert}', key: '${client.key}' } }
policies:
  ip-access: { deny: [{ file: '${list}' }] }
  maintenance: { except: [{ file: '${list}' }, 127.0.0.0/8] }
routes: [{ id: all, match: { path: /* }, service: backend }]
`,
    { preload },
  )
  /** Which certificate the gateway shows to a client, the status, and the client certificate that the service gets. */
  const look = async () => {
    const { peer, socket } = await connectSecurely(t, port)
    const certificate = socket.getPeerX509Certificate()?.fingerprint256
    peer.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    const { start: line, body } = await peer.reply()
    socket.end()
    return { certificate, status: line.slice(9, 12), name: line.startsWith('HTTP/1.1 200') ? body.toString() : '' }
  }
  const shown = ({ cert }: { cert: string }) => new X509Certificate(cert).fingerprint256
  // The connections are spread over the workers: in a row of these each has its turn.
  const lookOften = async (expected: Awaited<ReturnType<typeof look>>): Promise<void> => {
    for (let i = 0; i < 20; i++) assert.deepEqual(await look(), expected)
  }
  await lookOften({ certificate: shown(before), status: '200', name: 'first' })

  replaceLeaf(files, after)
  await command.line('A certificate was replaced: new connections get the new one')
  replaceLeaf(client, clientOf('second'))
  await command.line('TLS files of a service were replaced: new connections use the new ones')
  const replaced = { certificate: shown(after), status: '200', name: 'second' }
  const deadline = Date.now() + TIMEOUT
  for (let row = 0; row < 20;) {
    const { certificate, name } = await look()
    row = certificate === replaced.certificate && name === replaced.name ? row + 1 : 0
    assert.ok(Date.now() < deadline, 'a worker uses an old certificate')
  }

  writeFileSync(list, '127.0.0.1')
  await command.line('A list of networks was replaced')
  const refused = { certificate: shown(after), status: '403', name: '' }
  await lookOften(refused)
  // Replacements use the current content of the list, not that at the start, and the certificates that are in use, not their files.
  rmSync(files.cert)
  for (const count of [1, 2]) {
    command.child.kill('SIGUSR2')
    await command.lines('A worker died and is replaced', count)
    await lookOften(refused)
  }
  writeFileSync(list, 'nonsense')
  await command.line('The file of a list of networks cannot be used: the previous list stays in use')
  await lookOften(refused)
  writeFileSync(list, '192.0.2.0/24')
  await command.lines('A list of networks was replaced', 2)
  await lookOften(replaced)
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
})
