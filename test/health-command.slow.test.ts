import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { temporaryFile } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { runHere, type Surroundings } from './support/run-here.ts'
import { startService } from './support/service.ts'
import { authority, writeLeaf } from './support/tls.ts'

const TOKEN = 'a-token-of-operators'

/** `sallyport health` with that configuration. */
async function health(t: TestContext, yaml: string, surroundings?: Surroundings) {
  return runHere(['health', '--config', await temporaryFile(t, 'sallyport.yaml', yaml)], surroundings)
}

test('health queries the gateway at the address in the configuration', async (t) => {
  const { port } = await startFromText(t, `listeners: [{ address: '127.0.0.1:0' }]`)
  for (const host of ['127.0.0.1', '0.0.0.0', '[::]', 'localhost']) {
    const outcome = await health(t, `listeners: [{ address: '${host}:${port}' }]`)
    assert.equal(outcome.code, 0, outcome.stderr)
    assert.match(outcome.stdout, new RegExp(`^http://(127\\.0\\.0\\.1|localhost):${port}/health/live answers\\.\n$`))
  }
})

test('health substitutes variables in the address, and ignores other missing ones', async (t) => {
  const { port } = await startFromText(t, `listeners: [{ address: '127.0.0.1:0' }]`)
  const yaml = `listeners: [{ address: '\${ADDRESS}' }]\nservices: { a: { instances: ['\${MISSING}'] } }`
  const { code, stderr } = await health(t, yaml, { env: { ADDRESS: `127.0.0.1:${port}` } })
  assert.equal(code, 0, stderr)
})

test('health reads a file with a mistake as far as possible, as the gateway keeps the configuration from before', async (t) => {
  const { port } = await startFromText(t, `listeners: [{ address: '127.0.0.1:0' }]`)
  const yaml = `listeners: [{ address: '\${HOST}:${port}' }]\nroutes:\n  - id: users\n   match: {`
  const { code, stdout, stderr } = await health(t, yaml, { env: { HOST: '127.0.0.1' } })
  assert.deepEqual([code, stdout, stderr], [0, `http://127.0.0.1:${port}/health/live answers.\n`, ''])
  const elsewhere = await health(t, yaml, { env: { HOST: '127.0.0.1:1' } })
  assert.equal(elsewhere.code, 1)
  assert.match(elsewhere.stderr, /^\S+sallyport\.yaml:4:1: invalid YAML: /)
})

test('health also reads a configuration in code', async (t) => {
  const { port } = await startFromText(t, `listeners: [{ address: '127.0.0.1:0' }]`)
  const file = await temporaryFile(
    t,
    'sallyport.config.mjs',
    `export default { listeners: [{ address: '127.0.0.1:${port}' }] }`,
  )
  assert.equal((await runHere(['health', '--config', file])).code, 0)
})

test('health queries the admin listener, with its token, if the listeners have no health endpoints', async (t) => {
  const yaml = `listeners: [{ address: '127.0.0.1:0' }]\nendpoints: { health: false }\nadmin: { address: '127.0.0.1:0', token: ${TOKEN} }`
  const { adminPort } = await startFromText(t, yaml)
  const admin = `endpoints: { health: false }\nadmin: { address: '127.0.0.1:${adminPort}' }`
  const right = await health(t, admin, { env: { ADMIN_TOKEN: TOKEN } })
  assert.equal(right.stdout, `http://127.0.0.1:${adminPort}/health answers.\n`)
  const written = await health(t, admin.replace(/ }$/, `, token: ${TOKEN} }`), { env: { ADMIN_TOKEN: '' } })
  assert.equal(written.code, 0, written.stderr)
  const wrong = await health(t, admin, { env: { ADMIN_TOKEN: `${TOKEN}-of-yesterday` } })
  assert.deepEqual([wrong.code, wrong.stderr], [1, `http://127.0.0.1:${adminPort}/health answers 401.\n`])
})

test('health uses https for a listener with TLS, whatever the names in its certificate', async (t) => {
  const { cert, key } = writeLeaf(t, authority.issue({ names: ['gateway.test'] }))
  const tls = `tls: { certificates: [{ cert: '${cert}', key: '${key}' }] }`
  const { port } = await startFromText(t, `listeners: [{ address: '127.0.0.1:0', ${tls} }]`)
  const { stdout, stderr } = await health(t, `listeners: [{ address: '0.0.0.0:${port}', ${tls} }]`)
  assert.deepEqual([stdout, stderr], [`https://127.0.0.1:${port}/health/live answers.\n`, ''])
})

test('health skips listeners that require what it does not have', async (t) => {
  const { port, adminPort } = await startFromText(
    t,
    `listeners: [{ address: '127.0.0.1:0' }]\nadmin: { address: '127.0.0.1:0' }`,
  )
  const closed = [
    `{ address: '127.0.0.1:1', proxyProtocol: required }`,
    `{ address: '127.0.0.1:1', tls: { clientCertificates: { ca: ca.pem } } }`,
  ]
  const open = await health(t, `listeners: [${[...closed, `{ address: '127.0.0.1:${port}' }`].join(', ')}]`)
  assert.equal(open.stdout, `http://127.0.0.1:${port}/health/live answers.\n`)
  const none = await health(t, `listeners: [${closed.join(', ')}]\nadmin: { address: '127.0.0.1:${adminPort}' }`)
  assert.equal(none.stdout, `http://127.0.0.1:${adminPort}/health answers.\n`)
  const nowhere = await health(t, `listeners: [${closed.join(', ')}]\nadmin: false`)
  assert.equal(nowhere.code, 1)
  assert.match(
    nowhere.stderr,
    /^There is no address to ask: "admin" is false, and either .* every listener requires the PROXY/,
  )
})

test('health fails if nothing listens', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  const { code, stdout, stderr } = await health(t, `listeners: [{ address: '127.0.0.1:${port}' }]`)
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, new RegExp(`^http://127\\.0\\.0\\.1:${port}/health/live does not answer: .*ECONNREFUSED`))
})

test('health fails on another status', async (t) => {
  const { url } = await startService(t, (_, response) => void response.writeHead(404).end())
  const { code, stderr } = await health(t, `listeners: [{ address: '${new URL(url).host}' }]`)
  assert.equal(code, 1)
  assert.match(stderr, /\/health\/live answers 404\.\n$/)
})

test('health fails if the connection is accepted and never answered', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  cleanUp(t, () => void server.close())
  server.on('connection', (socket) => socket.resume().on('error', () => {}))
  const { code, stderr } = await health(t, `listeners: [{ address: '127.0.0.1:${port}' }]`)
  assert.equal(code, 1)
  assert.match(stderr, /\/health\/live does not answer: no response for 4 s\.\n$/)
})

test('health says that there is no such file as check does', async () => {
  const { code, stderr } = await runHere(['health', '--config', 'nowhere.yaml'])
  assert.deepEqual([code, stderr], [1, 'nowhere.yaml: no such file.\n'])
})

for (const [what, yaml, told] of [
  ['nothing listens there', 'endpoints: { health: false }\nadmin: false', /^There is no address to ask/],
  ['the port is 0', "listeners: [{ address: '127.0.0.1:0' }]", /^The address 127\.0\.0\.1:0 cannot/],
  ['the file is not YAML', 'a: [', /^\S+sallyport\.yaml:1:5: invalid YAML: /],
] as const) {
  test(`health fails if ${what}`, async (t) => {
    const { code, stderr } = await health(t, yaml)
    assert.equal(code, 1)
    assert.match(stderr, told)
  })
}
