import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { createGateway } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { start, temporaryFile } from './support/command.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, type Peer } from './support/peer.ts'
import { runHere } from './support/run-here.ts'
import { startService, type TestService } from './support/service.ts'

const CLIENT = '203.0.113.9'
const SELF = '127.0.0.1'
const ASK = `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${CLIENT}\r\n\r\n`

/** Who the gateway takes for the client of one more request of that connection. */
async function seen(peer: Peer, service: TestService): Promise<string> {
  peer.write(ASK)
  assert.match((await peer.reply()).start, / 200 /)
  return String(service.received.at(-1)!.headers['x-forwarded-for'])
}

async function startWith(t: TestContext, list: string) {
  const service = await startService(t)
  const file = await temporaryFile(t, 'proxies.txt', list)
  const trustedProxies = ['192.0.2.0/24', { file }]
  const started = await startGateway(t, proxyTo(service.url, { trustedProxies }))
  return { ...started, service, file, peer: await connect(t, started.port) }
}

test('trusted proxies can be listed in a file, and changes apply to open connections', async (t) => {
  const { service, file, peer, log } = await startWith(t, `# nobody yet\n10.0.0.0/8\n`)
  assert.equal(await seen(peer, service), SELF)
  await writeFile(file, `10.0.0.0/8\n${SELF} # now\n`)
  await log.line({ message: 'A list of networks was replaced', networks: 2 })
  assert.equal(await seen(peer, service), `${CLIENT}, ${SELF}`)
  // Replaced, as editors and scripts do it.
  await writeFile(`${file}.new`, '10.0.0.0/8\n')
  await rename(`${file}.new`, file)
  await log.line({ message: 'A list of networks was replaced', networks: 1 })
  assert.equal(await seen(peer, service), SELF)
})

for (const [name, bad, reason] of [
  ['empty', '', 'contains no network'],
  ['contains only comments', '# gone\n', 'contains no network'],
  ['is an error page', '<html>\n', 'line 1 is neither an IP address nor a network: "<html>"'],
  ['is truncated', `${SELF}\n10.0.0.`, 'line 2 is neither an IP address nor a network: "10.0.0."'],
] as const)
  test(`an invalid file does not replace a valid one: ${name}`, async (t) => {
    const { service, file, peer, log } = await startWith(t, SELF)
    await writeFile(file, bad)
    const line = await log.line({
      message: 'The file of a list of networks cannot be used: the previous list stays in use',
    })
    assert.deepEqual([line['file'], line['reason'], line['level']], [file, reason, 'error'])
    assert.equal(await seen(peer, service), `${CLIENT}, ${SELF}`)
    await writeFile(file, '10.0.0.0/8\n')
    await log.line({ message: 'A list of networks was replaced' })
    assert.equal(await seen(peer, service), SELF)
  })

test('a client that the PROXY protocol header leaves unknown is never trusted', async (t) => {
  const service = await startService(t)
  const file = await temporaryFile(t, 'proxies.txt', SELF)
  const listeners = [{ address: '127.0.0.1:0', proxyProtocol: 'required' as const }]
  const { port, log } = await startGateway(t, proxyTo(service.url, { listeners, trustedProxies: [{ file }] }))
  const peer = await connect(t, port)
  peer.write('PROXY UNKNOWN\r\n')
  assert.equal(await seen(peer, service), SELF)
  await writeFile(file, `${SELF}\n10.0.0.0/8\n`)
  await log.line({ message: 'A list of networks was replaced' })
  assert.equal(await seen(peer, service), SELF)
})

test('all workers use a changed file, and so does a restarted worker', async (t) => {
  const service = await startService(t)
  const file = await temporaryFile(t, 'proxies.txt', '10.0.0.0/8')
  const yaml = `
workers: 2
listeners: [{ address: '127.0.0.1:0' }]
trustedProxies: [{ file: '${file}' }]
services:
  backend: { instances: ['${service.url}'], health: false }
routes: [{ id: all, match: { path: /* }, service: backend }]
`
  const preload = new URL('support/kill-worker.ts', import.meta.url).href
  const { command, port } = await start(t, yaml, { preload })
  /** Over new connections until that many have come to the service, each worker having its own. */
  const askAll = async (connections: number): Promise<void> => {
    const before = service.received.length
    while (service.connections < connections || service.received.length < before + 20)
      assert.equal((await send(port, { headers: { 'X-Forwarded-For': CLIENT } })).status, 200)
    const clients = service.received.slice(before).map(({ headers }) => headers['x-forwarded-for'])
    const expected = before === 0 ? SELF : `${CLIENT}, ${SELF}`
    assert.ok(clients.every((client) => client === expected))
  }
  await askAll(2)
  await writeFile(file, SELF)
  await command.line('A list of networks was replaced')
  await askAll(2)
  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  await askAll(3)
})

test('the path is relative to the configuration, and an invalid file at the start is a configuration problem', async (t) => {
  const file = await temporaryFile(t, 'proxies.txt', SELF)
  const config = join(dirname(file), 'sallyport.yaml')
  await writeFile(config, `trustedProxies: [{ file: ${basename(file)} }]\n`)
  const good = await runHere(['check', config])
  assert.equal(good.code, 0, good.stderr)
  await writeFile(file, '10.0.0.0/8\nnonsense\n')
  const bad = await runHere(['check', config])
  assert.notEqual(bad.code, 0)
  assert.match(
    bad.stdout + bad.stderr,
    /trustedProxies\[0\]\.file: .*line 2 is neither an IP address nor a network: "nonsense"/,
  )
  await assert.rejects(createGateway({ trustedProxies: [{ file: '/nowhere.txt' }] }), /"\/nowhere\.txt" no such file/)
})
