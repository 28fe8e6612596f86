import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { fieldOf, itemsOf } from '../src/core/value.ts'
import { type Leaf, selfSigned } from './support/certificates.ts'
import { cleanUp } from './support/cleanup.ts'
import { type Printed, runHere, type Surroundings } from './support/run-here.ts'

const OLD = `
services:
  users: { instances: ['\${USERS_URL:-http://127.0.0.1:1}'], timeouts: { response: 10s } }
admin: { token: '\${TOKEN:-the-token-of-the-operators}' }
routes:
  - { id: users, match: { path: /users/* }, service: users }
`

const POLICY = `
import { definePolicy, z } from 'sallyport'
import { FIELD } from './field.ts'

export default definePolicy({
  name: 'tenant',
  summary: 'Says whose request it is.',
  options: z.strictObject({ tenant: z.string() }),
  create: ({ tenant }) => (next) => (exchange) => {
    exchange.headers.set(FIELD, tenant)
    return next(exchange)
  },
})
`

/** Writes the files into their own folder, and compares two of them there. */
async function workshop(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return (args: string, surroundings: Surroundings = {}): Promise<Printed> =>
    runHere(['plan', ...args.split(' ')], { ...surroundings, cwd: folder })
}

test('equivalent configurations exit with 0', async (t) => {
  const plan = await workshop(t, { 'old.yaml': OLD, 'sallyport.yaml': OLD.replace('10s', '10000ms') })
  const { code, stdout, stderr } = await plan('--against old.yaml')
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'No changes.\n', stderr: '' })
})

test('different configurations exit with 2, and the changes are printed', async (t) => {
  const plan = await workshop(t, { 'old.yaml': OLD, 'new.yaml': OLD.replace('10s', '1m') })
  const { code, stdout, stderr } = await plan('new.yaml --against old.yaml')
  assert.deepEqual([code, stderr], [2, ''])
  assert.match(stdout, /^Live: .*\n {2}~ services\.users\.timeouts\.response: 10s → 1m\n/)
  assert.match(stdout, /\n1 change: 1 live\. No restart is required\.\n$/)
})

test('the plan as JSON has the documented format', async (t) => {
  const changed = OLD.replace('10s', '1m').replace('/users/*', '/people/*')
  const plan = await workshop(t, { 'old.yaml': OLD, 'new.yaml': changed })
  const { code, stdout } = await plan('new.yaml --against old.yaml --json')
  assert.equal(code, 2)
  const live = 'New requests use the change; requests in flight finish as they began.'
  const path = { path: 'routes.users.match.path', steps: ['routes', 'users', 'match', 'path'] }
  assert.deepEqual(JSON.parse(stdout), {
    same: false,
    changes: [
      {
        kind: 'changed',
        path: 'services.users.timeouts.response',
        steps: ['services', 'users', 'timeouts', 'response'],
        class: 'live',
        before: 10_000,
        after: 60_000,
        written: { before: '10s', after: '1m' },
        effects: [live],
      },
      { kind: 'removed', ...path, class: 'live', before: '/users/*', effects: [live] },
      { kind: 'added', ...path, class: 'live', after: '/people/*', effects: [live] },
    ],
    warnings: [],
  })
})

test('an invalid configuration exits with 1 and its problems, whichever of the two it is', async (t) => {
  const plan = await workshop(t, { 'good.yaml': OLD, 'bad.yaml': OLD.replace('service: users', 'service: user') })
  for (const args of ['bad.yaml --against good.yaml', 'good.yaml --against bad.yaml']) {
    const { code, stdout, stderr } = await plan(args)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^bad\.yaml:6:\d+: routes\[0\]\.service: .*"users"/)
  }
  const { code, stderr } = await plan('good.yaml --against nowhere.yaml')
  assert.equal(code, 1)
  assert.match(stderr, /^nowhere\.yaml: no such file/)
})

test('without a configuration to compare with, it is a usage error', async (t) => {
  const plan = await workshop(t, { 'sallyport.yaml': OLD })
  const { code, stderr } = await plan('sallyport.yaml')
  assert.equal(code, 64)
  assert.match(stderr, /--against <file>/)
})

test('both use environment variables, and no secrets are printed', async (t) => {
  const plan = await workshop(t, { 'old.yaml': OLD, 'new.yaml': OLD.replace('${TOKEN:-', '${OTHER:-') })
  const env = { USERS_URL: 'http://127.0.0.1:2', TOKEN: 'hush-hush-hush-hush', OTHER: 'quiet-quiet-quiet-quiet' }
  for (const json of ['', ' --json']) {
    const { code, stdout } = await plan(`new.yaml --against old.yaml${json}`, { env })
    assert.equal(code, 2)
    assert.match(stdout, /admin\.token/)
    assert.doesNotMatch(stdout, /hush|quiet|127\.0\.0\.1:[12]/)
  }
  assert.equal((await plan('new.yaml --against old.yaml', { env: { TOKEN: env.OTHER, OTHER: env.OTHER } })).code, 0)
})

test('a configuration in TypeScript can be compared with one in YAML', async (t) => {
  const code = `import { defineConfig } from 'sallyport'
export default defineConfig({
  routes: [{ id: 'users', match: { path: '/users/*' }, service: 'users' }],
  admin: { token: 'the-token-of-the-operators' },
  services: { users: { timeouts: { response: '10s' }, instances: ['http://127.0.0.1:1'] } },
})`
  const plan = await workshop(t, { 'old.yaml': OLD, 'same.ts': code, 'other.ts': code.replace('10s', '1s') })
  assert.equal((await plan('same.ts --against old.yaml')).code, 0)
  assert.equal((await plan('other.ts --against old.yaml')).code, 2)
})

test('custom policies are compared by the content of their files and imports, wherever they are', async (t) => {
  const yaml = `${OLD}ownPolicies: [./policies/tenant.ts]\npolicies: { tenant: { tenant: acme } }\n`
  const copy = (folder: string, field: string) => ({
    [`${folder}/sallyport.yaml`]: yaml,
    [`${folder}/policies/tenant.ts`]: POLICY,
    [`${folder}/policies/field.ts`]: `export const FIELD = '${field}'\n`,
  })
  const plan = await workshop(t, { ...copy('a', 'X-Tenant'), ...copy('b', 'X-Tenant'), ...copy('c', 'X-Customer') })
  assert.equal((await plan('b/sallyport.yaml --against a/sallyport.yaml')).code, 0)
  const { code, stdout } = await plan('c/sallyport.yaml --against a/sallyport.yaml')
  assert.equal(code, 2)
  assert.match(stdout, /^Resets state: .*\n {2}~ ownPolicies\.tenant\.code: \w+ → \w+\n/)
})

test('OpenAPI and schema documents are compared by content', async (t) => {
  const yaml = OLD.replace('service: users }', 'service: users, policies: { validation: { query: ./query.json } } }')
  const schema = { type: 'object', properties: { page: { type: 'string' } } }
  const { type, properties } = schema
  const plan = await workshop(t, {
    'a/sallyport.yaml': yaml,
    'a/query.json': JSON.stringify(schema),
    'b/sallyport.yaml': yaml,
    'b/query.json': JSON.stringify({ properties, type }, null, 2),
    'c/sallyport.yaml': yaml,
    'c/query.json': JSON.stringify({ ...schema, additionalProperties: false }),
  })
  assert.equal((await plan('b/sallyport.yaml --against a/sallyport.yaml')).code, 0)
  const { code, stdout } = await plan('c/sallyport.yaml --against a/sallyport.yaml')
  assert.equal(code, 2)
  assert.match(stdout, /~ routes\.users\.policies\.validation\.query: sha256:\w+ → sha256:\w+\n/)
})

test('certificates and network lists are compared by content, and certificates of listeners by name', async (t) => {
  const folder = (name: string, { cert, key }: Leaf, port: string, network: string) => ({
    [`${name}/tls/cert.pem`]: cert,
    [`${name}/tls/key.pem`]: key,
    [`${name}/networks.txt`]: network,
    [`${name}/sallyport.yaml`]: `
listeners:
  - { address: '127.0.0.1:8443', tls: { certificates: [{ cert: tls/cert.pem, key: tls/key.pem }] } }
  - { address: '127.0.0.1:8000', redirectToHttps: ${port} }
trustedProxies: [{ file: networks.txt }]
services: { a: { instances: ['https://127.0.0.1:1'], tls: { ca: tls/cert.pem } } }
`,
  })
  const first = selfSigned()
  const plan = await workshop(t, {
    ...folder('a', first, 'true', '10.0.0.0/8'),
    ...folder('b', first, '8443', '10.0.0.0/8'),
    ...folder('c', selfSigned(), 'true', '10.0.0.0/8\n172.16.0.0/12'),
  })
  assert.equal((await plan('b/sallyport.yaml --against a/sallyport.yaml')).code, 0)
  const { code, stdout } = await plan('c/sallyport.yaml --against a/sallyport.yaml')
  assert.equal(code, 2)
  assert.deepEqual(
    [...stdout.matchAll(/^ {2}([-+~] [^:\n]+): /gm)].map(([, change]) => change),
    ['- trustedProxies', '+ trustedProxies', '~ services.a.tls.ca'],
  )
})

test('warnings of the new configuration are printed, as by check', async (t) => {
  const insecure = OLD.replace('http://127.0.0.1:1', 'https://127.0.0.1:1').replace(
    'timeouts:',
    'tls: { insecure: true }, timeouts:',
  )
  const plan = await workshop(t, { 'old.yaml': OLD, 'new.yaml': insecure })
  const { code, stderr } = await plan('new.yaml --against old.yaml')
  assert.equal(code, 2)
  assert.match(stderr, /^warning: services\.users\.tls\.insecure: the certificates of this service are not verified/)
  const { stdout } = await plan('new.yaml --against old.yaml --json')
  const [warning] = itemsOf(fieldOf(JSON.parse(stdout), 'warnings'))
  assert.equal(fieldOf(warning, 'path'), 'services.users.tls.insecure')
  assert.equal((await plan('old.yaml --against new.yaml')).stderr, '')
})
