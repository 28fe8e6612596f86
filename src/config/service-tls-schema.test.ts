import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Authority } from '../../test/support/certificates.ts'
import { loadConfig } from './load.ts'
import { warningsOf } from './warnings.ts'

const authority = new Authority()
const client = authority.issueClient()

/** A configuration with those files beside it, and the options of TLS in YAML. */
async function load(t: TestContext, files: Record<string, string>, tls: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const file = join(folder, 'sallyport.yaml')
  await writeFile(file, `services:\n  users: { instances: [https://users], tls: ${tls} }\n`)
  return loadConfig(file, {})
}

test('file names are replaced by contents, relative to the configuration', async (t) => {
  const files = { 'ca.pem': authority.cert, 'client.pem': client.cert, 'client.key': client.key }
  const { services } = await load(t, files, '{ ca: ca.pem, cert: client.pem, key: ./client.key }')
  const { files: found, ...tls } = services['users']!.tls!
  const expected = { ca: authority.cert, ...client, serverName: undefined, insecure: false, pin: [] }
  assert.deepEqual({ serverName: undefined, ...tls }, expected)
  assert.deepEqual(
    Object.values(found).map((file) => basename(file ?? '')),
    ['ca.pem', 'client.pem', 'client.key'],
  )
})

test('the same applies to files of policies, for all routes and single ones', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'ca.pem'), authority.cert)
  const file = join(folder, 'sallyport.yaml')
  const jwt = '{ issuers: [{ issuer: "https://id", ca: ca.pem, introspection: { url: "https://id/i", ca: ca.pem } }] }'
  const route =
    '{ id: a, match: { path: /a }, reply: {}, policies: { auth: { methods: { introspection: { url: "https://id/i", ca: ca.pem } } } } }'
  await writeFile(file, `policies: { auth: { methods: { jwt: ${jwt} } } }\nroutes:\n  - ${route}\n`)
  const config = JSON.stringify(await loadConfig(file, {}))
  assert.equal(config.split(JSON.stringify(authority.cert)).length - 1, 3)
  await rm(join(folder, 'ca.pem'))
  await assert.rejects(loadConfig(file, {}), /policies\.auth\.methods\.jwt\.issuers\[0\]\.ca: "ca\.pem": no such file/)
})

test('PEM can be given inline', async (t) => {
  const { services } = await load(t, {}, JSON.stringify({ ca: authority.cert }))
  assert.equal(services['users']!.tls?.ca, authority.cert)
})

test('pins have the format of curl, single or several, with or without prefix', async (t) => {
  const [one, two] = ['a'.repeat(43), 'b'.repeat(43)].map((text) => `${text}=`)
  const { services } = await load(t, {}, `{ pin: [sha256//${one}, ${two}] }`)
  assert.deepEqual(services['users']!.tls?.pin, [one, two])
})

test('a key that does not match its certificate is a problem', async (t) => {
  const files = { cert: client.cert, key: authority.issueClient().key }
  await assert.rejects(load(t, files, '{ cert: cert, key: key }'), /tls\.key: does not match the certificate/)
})

test('problems do not show keys', async (t) => {
  await assert.rejects(load(t, { key: client.key.replace('KEY', 'KEX') }, '{ key: key }'), (error: Error) => {
    assert.match(error.message, /services\.users\.tls\.key: "key": has no private key in it/)
    assert.ok(!error.message.includes(client.key.split('\n')[1]!))
    return true
  })
})

test('unverified certificates cause a warning', async (t) => {
  const pin = `${'a'.repeat(43)}=`
  const warnings = async (tls: string) =>
    warningsOf({ config: await load(t, {}, tls), renamed: [] }).map(({ path, message }) => `${path}: ${message}`)
  assert.deepEqual(await warnings('{ insecure: true }'), [
    'services.users.tls.insecure: the certificates of this service are not verified: anyone on the network path can read and change everything',
  ])
  assert.deepEqual(await warnings(`{ insecure: true, pin: "${pin}" }`), [
    'services.users.tls.insecure: the certificates of this service are not verified, except for the pin of their key',
  ])
  assert.deepEqual(await warnings('{}'), [])
})

test('unverified certificates of Redis cause a warning too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'sallyport.yaml')
  await writeFile(file, 'stores: { redis: { url: "rediss://redis:1", tls: { insecure: true } } }')
  const [warning] = warningsOf({ config: await loadConfig(file, {}), renamed: [] })
  assert.equal(warning?.path, 'stores.redis.tls.insecure')
})
