import assert from 'node:assert/strict'
import test from 'node:test'
import { temporaryFile } from './support/command.ts'
import { startKeyServer } from './support/key-server.ts'
import { runHere } from './support/run-here.ts'

const WORTH_WARNINGS = `admin: false
services:
  users: { instances: ['http://127.0.0.1:1'] }
  orders: { instances: ['http://127.0.0.1:2'] }
policies:
  auth: { methods: { api-key: {} } }
routes:
  - id: users
    match: { path: /users/* }
    service: users
    rewrite: { strip: /api }
`

test('check prints warnings in file order, with place and remedy', async (t) => {
  const { code, stdout, stderr } = await runHere(['check', await temporaryFile(t, 'a.yaml', WORTH_WARNINGS)])
  assert.equal(code, 0)
  assert.match(stdout, /\/users\/\* +\* +-> users/)
  const reported = stderr.trimEnd().split('\n')
  assert.equal(reported.length, 3)
  assert.match(reported[0]!, /a\.yaml:4:11: warning: services\.orders: is not used: .*Add a route, or remove it\.$/)
  assert.match(
    reported[1]!,
    /a\.yaml:6:31: warning: policies\.auth\.methods\.api-key: has no effect: there are no keys.*keys create/,
  )
  assert.match(reported[2]!, /a\.yaml:11:23: warning: routes\[0\]\.rewrite\.strip: never applies.*remove it\.$/)
})

test('check --strict fails on warnings', async (t) => {
  const refused = await runHere(['check', '--strict', await temporaryFile(t, 'a.yaml', WORTH_WARNINGS)])
  assert.equal(refused.code, 1)
  assert.equal(refused.stdout, '')
  assert.match(refused.stderr, /\n3 warnings, which --strict refuses\.\n$/)
  const sound = WORTH_WARNINGS.replace('  orders: { instances', '  # orders: { instances')
    .replace('api-key: {}', "jwt: { secret: 'q4uyyDzpm8Sg9yTF6h0hJ0OPmJq7gJcQv3Pp0b7B2nE=', algorithms: [HS256] }")
    .replace('strip: /api', 'strip: /users')
  const taken = await runHere(['check', '--strict', await temporaryFile(t, 'a.yaml', sound)])
  assert.deepEqual([taken.code, taken.stderr], [0, ''])
})

test('check asks no issuer for its keys, so that it ends even if that is silent', async (t) => {
  const server = await startKeyServer(t, [])
  const methods = `jwt: { jwks: '${server.url}/keys' }`
  const text = WORTH_WARNINGS.replace('api-key: {}', methods)
  assert.equal((await runHere(['check', await temporaryFile(t, 'a.yaml', text)])).code, 0)
  await fetch(`${server.url}/keys`)
  assert.equal(server.requests, 1)
})
