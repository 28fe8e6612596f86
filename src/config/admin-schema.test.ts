import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopback, withAdminToken } from './admin-schema.ts'
import { parseConfig } from './parse.ts'
import { ConfigError } from './problems.ts'

const TOKEN = 'correct-horse-battery'

function problemsOf(admin: unknown): string[] {
  try {
    parseConfig({ admin })
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test('without a token only loopback addresses are allowed', () => {
  for (const address of ['127.0.0.1:9000', '127.8.8.8:1', '[::1]:9000', 'localhost:9000', 'LOCALHOST:0'])
    assert.deepEqual(problemsOf({ address }), [])
  for (const address of [
    '0.0.0.0:9000',
    '[::]:9000',
    '10.0.0.1:9000',
    'admin.internal:9000',
    '[::ffff:127.0.0.1]:9000',
  ]) {
    const [problem = '', ...others] = problemsOf({ address })
    assert.match(
      problem,
      /^admin\.address: expected a loopback address .* where there is no token \(ADMIN_TOKEN\), and neither users nor oidc, not "/,
    )
    assert.deepEqual(others, [])
    assert.deepEqual(problemsOf({ address, token: TOKEN }), [])
    assert.equal(problemsOf({ address, token: '' }).length, 1)
  }
})

test('users are sufficient instead of a token', () => {
  const password = '$scrypt$ln=14,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const users = [{ name: 'ada', password, role: 'admin' }]
  assert.deepEqual(problemsOf({ address: '0.0.0.0:9000', users, writable: true }), [])
  assert.equal(problemsOf({ address: '0.0.0.0:9000', users: [] }).length, 1)
  const [problem = ''] = problemsOf({ users: [...users, ...users] })
  assert.match(problem, /^admin\.users\[1\]\.name: the same name as users\[0\]/)
  const [plain = ''] = problemsOf({ users: [{ name: 'ada', password: 'in-plain-text' }] })
  assert.match(plain, /^admin\.users\[0\]\.password: expected the digest of a password/)
  assert.ok(!plain.includes('in-plain-text'))
})

test('a provider is sufficient instead of a token, and requires a role map', () => {
  const oidc = { issuer: 'https://id.example.com', clientId: 'console', roles: { map: { ops: 'operator' } } }
  assert.deepEqual(problemsOf({ address: '0.0.0.0:9000', oidc, writable: true }), [])
  for (const [roles, expected] of [
    [undefined, /^admin\.oidc\.roles: /],
    [{}, /^admin\.oidc\.roles\.map: /],
    [{ map: {} }, /^admin\.oidc\.roles\.map: expected between 1 and 1000 values of the claim/],
    [{ map: { ops: 'root' } }, /^admin\.oidc\.roles\.map\.ops: /],
  ] as const) {
    const [problem = '', ...others] = problemsOf({ oidc: { ...oidc, roles } })
    assert.match(problem, expected)
    assert.deepEqual(others, [])
  }
  assert.match(problemsOf({ oidc: { ...oidc, scopes: ['profile'] } })[0]!, /expected openid among the scopes/)
})

test('publicUrl has scheme, host and port, and {host} stands for the host name', () => {
  for (const publicUrl of ['https://console.example.com', 'http://{host}:9000', 'https://{host}.example.com:8443'])
    assert.deepEqual(problemsOf({ publicUrl }), [])
  for (const publicUrl of [
    'console.example.com',
    'https://a.example.com/',
    'https://{host}/x',
    'ftp://{host}',
    'javascript:{host}',
  ])
    assert.match(problemsOf({ publicUrl })[0] ?? '', /^admin\.publicUrl: expected /, publicUrl)
})

test('a token has to be long, but not too long for a login, and valid in a header, and problems do not show it', () => {
  const tooLong = 'x'.repeat(4097)
  for (const token of ['short', 'fifteen-letters', tooLong, 'with spaces in between', 'pässword-of-some-length']) {
    const [problem = ''] = problemsOf({ token })
    assert.match(problem, /^admin\.token: expected 16 to 4096 visible ASCII characters/)
    assert.ok(!problem.includes(token))
  }
  for (const token of [TOKEN, tooLong.slice(1)]) assert.deepEqual(problemsOf({ token }), [])
})

test('ADMIN_TOKEN is used unless the configuration has a token or no admin listener', () => {
  const environment = { ADMIN_TOKEN: TOKEN }
  assert.deepEqual(withAdminToken({}, environment), { admin: { token: TOKEN } })
  assert.deepEqual(withAdminToken({ admin: { token: '' } }, environment), { admin: { token: TOKEN } })
  for (const config of [{ admin: { token: 'another' } }, { admin: false }, null, 'text'])
    assert.equal(withAdminToken(config, environment), config)
  for (const none of [{}, { ADMIN_TOKEN: '' }]) assert.deepEqual(withAdminToken({}, none), {})
})

test('host names that only resemble loopback do not count as loopback', () => {
  for (const host of ['127.example.com', 'localhost.example.com', '1.127.0.0', '::', '0.0.0.0', ''])
    assert.equal(isLoopback(host), false, host)
})

test('admin.writable requires a token', () => {
  assert.deepEqual(problemsOf({ writable: false }), [])
  assert.deepEqual(problemsOf({ writable: true, token: TOKEN }), [])
  const [problem = '', ...others] = problemsOf({ writable: true })
  assert.match(problem, /^admin\.writable: needs a token \(ADMIN_TOKEN\), users or oidc, because /)
  assert.deepEqual(others, [])
})
