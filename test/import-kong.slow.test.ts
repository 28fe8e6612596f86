import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { temporaryFile } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

/** Imports a Kong file with the command, and starts the gateway with the result. */
async function startImported(t: TestContext, kong: string, variables: Readonly<Record<string, string>> = {}) {
  const file = await temporaryFile(t, 'kong.yml', kong)
  const { code, stdout, stderr } = await runHere(['import', 'kong', file])
  assert.deepEqual([code, stderr.includes('entit')], [0, true], stderr)
  const yaml = stdout.replace('0.0.0.0:8000', '127.0.0.1:0')
  const { port } = await startFromText(
    t,
    yaml.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole),
  )
  return (path: string, headers: Record<string, string> = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers })
}

test('strip_path, preserve_host and the path of the service work as in Kong', async (t) => {
  const service = await startService(t, ({ url, headers }, response) => void response.end(`${headers.host} ${url}`))
  const ask = await startImported(
    t,
    `_format_version: '3.0'
services:
- { name: plain, url: '${service.url}', routes: [{ name: stripped, paths: [/a] }, { name: whole, paths: [/b], strip_path: false, preserve_host: true }] }
- { name: based, url: '${service.url}/base', routes: [{ name: based, paths: [/c] }, { name: matched, paths: ['~/d/(?<id>[^/]+)$'], strip_path: false }] }
`,
  )
  const told = async (path: string) => (await ask(path)).text()
  assert.equal(await told('/a/x?y=1'), `${service.address} /x?y=1`)
  assert.equal(await told('/a'), `${service.address} /`)
  assert.match(await told('/b/x'), /^127\.0\.0\.1:\d+ \/b\/x$/)
  assert.notEqual(await told('/b/x'), `${service.address} /b/x`)
  assert.equal(await told('/c/x'), `${service.address} /base/x`)
  assert.equal(await told('/d/7'), `${service.address} /base/d/7`)
  assert.equal((await ask('/d/7/8')).status, 404)
  assert.equal((await ask('/ab')).status, 404)
})

test('imported keys work, and services get the consumer', async (t) => {
  const service = await startService(
    t,
    ({ headers }, response) =>
      void response.end(`${String(headers['x-consumer-username'])} ${String(headers['apikey'])}`),
  )
  const ask = await startImported(
    t,
    `_format_version: '3.0'
consumers:
- { username: alice, keyauth_credentials: [{ key: key-of-alice }], acls: [{ group: admins }] }
- { username: bob, keyauth_credentials: [{ key: '\${BOBS_KEY}' }] }
services:
- name: orders
  url: ${service.url}
  plugins: [{ name: key-auth, config: { hide_credentials: true } }]
  routes:
  - { name: orders, paths: [/orders] }
  - { name: admin, paths: [/admin], plugins: [{ name: acl, config: { allow: [admins] } }] }
`,
    // printf %s key-of-bob | sha256sum
    { BOBS_KEY_SHA256: hash('sha256', 'key-of-bob') },
  )
  assert.equal((await ask('/orders')).status, 401)
  assert.equal((await ask('/orders', { apikey: 'another-key' })).status, 401)
  assert.equal(await (await ask('/orders', { apikey: 'key-of-alice' })).text(), 'alice undefined')
  assert.equal(await (await ask('/orders?apikey=key-of-bob')).text(), 'bob undefined')
  assert.equal((await ask('/admin', { apikey: 'key-of-alice' })).status, 200)
  assert.equal((await ask('/admin', { apikey: 'key-of-bob' })).status, 403)
})

test('rate limits are imported', async (t) => {
  const service = await startService(t)
  const ask = await startImported(
    t,
    `_format_version: '3.0'
services:
- name: orders
  url: ${service.url}
  routes:
  - { name: few, paths: [/few], plugins: [{ name: rate-limiting, config: { hour: 2, policy: local } }] }
  - { name: many, paths: [/many] }
`,
  )
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await ask('/few')).status)
  assert.deepEqual(statuses, [200, 200, 429])
  assert.equal((await ask('/many')).status, 200)
})

test('a route whose auth plugin cannot be imported rejects all requests', async (t) => {
  const service = await startService(t)
  const ask = await startImported(
    t,
    `_format_version: '3.0'
services:
- name: orders
  url: ${service.url}
  routes: [{ name: signed, paths: [/signed], plugins: [{ name: hmac-auth }] }, { name: open, paths: [/open] }]
`,
  )
  assert.equal((await ask('/signed')).status, 403)
  assert.equal((await ask('/open')).status, 200)
  assert.equal(service.received.length, 1)
})

const SMALL = `_format_version: '3.0'
services:
- name: orders
  url: http://orders:8080
  plugins: [{ name: syslog }]
  routes: [{ name: orders, paths: [/] }]
`

test('--out writes the configuration to a new file, without overwriting, and prints the report', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const file = await temporaryFile(t, 'kong.yml', SMALL)
  const first = await runHere(['import', 'kong', file, '--out', 'sallyport.yaml'], { cwd: folder })
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.match(first.stdout, /kong\.yml:5:13: left out {2}plugin {2}syslog\n {4}The access log has/)
  assert.match(first.stdout, /3 entities: 2 exact, 1 left out\./)
  const checked = await runHere(['check', 'sallyport.yaml'], { cwd: folder })
  assert.equal(checked.code, 0, checked.stderr)
  const written = await readFile(join(folder, 'sallyport.yaml'), 'utf8')
  const second = await runHere(['import', 'kong', file, '--out', 'sallyport.yaml'], { cwd: folder })
  assert.equal(second.code, 1)
  assert.match(second.stderr, /already exist: sallyport\.yaml/)
  assert.equal(await readFile(join(folder, 'sallyport.yaml'), 'utf8'), written)
})

test('--strict exits with 3 if something is left out, and with 0 otherwise', async (t) => {
  const file = await temporaryFile(t, 'kong.yml', SMALL)
  assert.equal((await runHere(['import', 'kong', file, '--strict'])).code, 3)
  const whole = await temporaryFile(t, 'kong.yml', SMALL.replace(/ {2}plugins:.*\n/, ''))
  assert.equal((await runHere(['import', 'kong', whole, '--strict'])).code, 0)
})

test('the JSON report has the documented format', async (t) => {
  const file = await temporaryFile(t, 'kong.yml', SMALL)
  const { stderr, code } = await runHere(['import', 'kong', file, '--report', 'json'])
  assert.equal(code, 0)
  const { entities, ...rest } = JSON.parse(stderr) as { entities: object[] }
  assert.deepEqual(rest, {
    source: file,
    summary: { exact: 2, narrower: 0, different: 0, 'left out': 1 },
    notes: [],
    variables: [],
  })
  assert.deepEqual(entities[0], { kind: 'service', name: 'orders', line: 3, column: 3, fidelity: 'exact', notes: [] })
})

test('a missing file, or one that is not from Kong, is an error in one line', async (t) => {
  const none = await temporaryFile(t, 'kong.yml', 'a: b')
  const { code, stdout, stderr } = await runHere(['import', 'kong', none])
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(
    stderr,
    /^\S+kong\.yml: is not a declarative configuration of Kong: expected _format_version "1\.1", "2\.1" or "3\.0"\.\n$/,
  )
  const gone = await runHere(['import', 'kong', 'not-there.yml'])
  assert.deepEqual([gone.code, gone.stderr], [1, 'not-there.yml: no such file.\n'])
  const folder = await runHere(['import', 'kong', '.'])
  assert.deepEqual([folder.code, folder.stderr], [1, '.: is a folder; expected a file in it.\n'])
})
