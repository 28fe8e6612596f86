import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { pairs, pemOf, SECRET } from '../../../test/support/tokens.ts'
import { allowedAlgorithms, jwtOptions } from './jwt-options.ts'

const pem = pemOf(pairs.rsa.publicKey)
const publicDefaults = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

function problemsOf(options: unknown): string {
  const result = jwtOptions.safeParse(options)
  return (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
}

for (const [options, algorithms] of [
  [{ secret: SECRET }, ['HS256']],
  [{ secret: SECRET, issuer: 'user-service' }, ['HS256']],
  [{ publicKeys: pem }, publicDefaults],
  [{ jwks: 'https://id.example.com/keys' }, publicDefaults],
  [{ issuer: 'https://id.example.com' }, publicDefaults],
  [{ secret: SECRET, publicKeys: [pem] }, ['HS256', ...publicDefaults]],
  [{ jwks: 'https://id.example.com/keys', algorithms: ['PS512'] as const }, ['PS512']],
] as const)
  test(`with ${Object.keys(options).join(' and ')} the algorithms are ${algorithms.join(', ')}`, () => {
    assert.equal(problemsOf(options), '')
    assert.deepEqual(allowedAlgorithms(jwtOptions.parse(options)), algorithms)
  })

for (const [what, options, problem] of [
  ['no keys at all', {}, /^: has no keys to verify tokens with/],
  ['"none" among the algorithms', { secret: SECRET, algorithms: ['none'] }, /^algorithms\.0: /],
  ['a short secret', { secret: 'x'.repeat(31) }, /^secret: expected at least 32 bytes/],
  ['one of two secrets that is short', { secret: [SECRET, 'x'] }, /^secret: expected at least 32 bytes/],
  [
    'a secret too short for HS512',
    { secret: 'x'.repeat(63), algorithms: ['HS256', 'HS512'] },
    /^secret: expected at least 64/,
  ],
  [
    'HS256 without a secret',
    { jwks: 'https://a/', algorithms: ['RS256', 'HS256'] },
    /^algorithms: HS256 needs a secret/,
  ],
  [
    'RS256 with a secret only',
    { secret: SECRET, algorithms: ['HS256', 'RS256'] },
    /^algorithms: RS256 needs publicKeys/,
  ],
  [
    'an unused secret',
    { secret: SECRET, publicKeys: pem, algorithms: ['RS256'] },
    /^secret: no algorithm uses the secret/,
  ],
  ['unused public keys', { secret: SECRET, publicKeys: pem, algorithms: ['HS256'] }, /^publicKeys: no algorithm uses/],
  ['two sources of public keys', { publicKeys: pem, jwks: 'https://a/' }, /^jwks: jwks together with publicKeys/],
  [
    'an issuer that is not a URL',
    { issuer: 'user-service' },
    /^issuer: RS256 needs publicKeys, jwks, or an issuer that is the URL/,
  ],
  ['a URL of another kind', { jwks: 'file:///etc/keys' }, /^jwks: expected an http or https URL/],
  ['a URL with a password', { jwks: 'https://a:b@c/keys' }, /^jwks: expected an http or https URL/],
  [
    'a private key',
    { publicKeys: pairs.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    /it is a private key/,
  ],
  [
    'an invalid key',
    { publicKeys: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' },
    /^publicKeys: is neither a public key in PEM nor a file/,
  ],
  [
    'a too short RSA key',
    { publicKeys: pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) },
    /^publicKeys: cannot be used to verify tokens: rsa with 1024 bits; expected RSA with at least 2048 bits/,
  ],
  [
    'one of two RSA keys that is short',
    { publicKeys: [pem, pemOf(generateKeyPairSync('rsa', { modulusLength: 2040 }).publicKey)] },
    /^publicKeys\.1: cannot be used to verify tokens: rsa with 2040 bits/,
  ],
  [
    'an unsupported curve',
    { publicKeys: pemOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) },
    /^publicKeys: cannot be used to verify tokens: ec with secp256k1; expected RSA/,
  ],
  [
    'a key with another use',
    { publicKeys: pemOf(generateKeyPairSync('x25519').publicKey) },
    /^publicKeys: cannot be used to verify tokens: x25519; expected RSA/,
  ],
  [
    'a key that fits none of the algorithms',
    { publicKeys: [pem, pemOf(pairs.p384.publicKey)] },
    /^publicKeys: no algorithm uses one of the keys: add ES384 to algorithms/,
  ],
  [
    'a missing file',
    { publicKeys: ['no/such/file.pem'] },
    /^publicKeys\.0: is neither a public key in PEM nor a file with one: there is no file \/.*no\/such\/file\.pem$/,
  ],
  [
    'a secret together with issuers',
    { secret: SECRET, issuers: [{ issuer: 'a', secret: SECRET }] },
    /^secret: secret together with issuers: set it for one of them$/,
  ],
  [
    'two issuers with the same name',
    {
      issuers: [
        { issuer: 'a', secret: SECRET },
        { issuer: 'b', secret: SECRET },
        { issuer: 'a', publicKeys: pem },
      ],
    },
    /^issuers\.2\.issuer: the same issuer as issuers\[0\]; expected another issuer/,
  ],
  ['no issuers', { issuers: [] }, /^issuers: /],
  ['an issuer without a name', { issuers: [{ issuer: '', secret: SECRET }] }, /^issuers\.0\.issuer: /],
  ['an empty type', { secret: SECRET, type: '' }, /^type: /],
  ['the only issuer without a name', { issuer: '', secret: SECRET }, /^issuer: /],
  [
    'one of several issuers that is not a URL',
    { issuers: [{ issuer: 'https://id.example.com' }, { issuer: 'b' }] },
    /^issuers\.1\.issuer: RS256 needs publicKeys, jwks, or an issuer that is the URL/,
  ],
  [
    'one of several issuers with a short secret',
    { issuers: [{ issuer: 'a', secret: 'x' }] },
    /^issuers\.0\.secret: expected at least 32 bytes/,
  ],
  [
    'shared algorithms for which an issuer has no keys',
    { algorithms: ['RS256'], issuers: [{ issuer: 'a', secret: SECRET }] },
    /^issuers\.0\.secret: no algorithm uses the secret/,
  ],
  ['an invalid subprotocol', { secret: SECRET, subprotocol: 'a b' }, /^subprotocol: expected the name of a sub/],
  [
    'no introspection endpoint',
    { secret: SECRET, introspection: {} },
    /^introspection: needs either service and path, or url/,
  ],
  [
    'two introspection endpoints',
    { secret: SECRET, introspection: { service: 'a', path: '/b', url: 'http://c/' } },
    /^introspection: needs either/,
  ],
] as const)
  test(`${what} is a configuration problem`, () => {
    assert.match(flatten(options), problem)
  })

/** The issues of unions, whose branches the configuration's own messages choose from, in one line each. */
function flatten(options: unknown): string {
  const issues = jwtOptions.safeParse(options).error?.issues ?? []
  return issues
    .map((issue) => {
      if (issue.code !== 'invalid_union') return `${issue.path.join('.')}: ${issue.message}`
      const custom = issue.errors.flat().find(({ code }) => code === 'custom')
      return `${[...issue.path, ...(custom?.path ?? [])].join('.')}: ${custom?.message}`
    })
    .join('\n')
}

test('a problem with a secret does not show it', () => {
  const result = jwtOptions.safeParse({ secret: 'hunter2' }, { reportInput: true })
  assert.doesNotMatch(JSON.stringify(result.error?.issues), /hunter2/)
})

test('a public key can be read from a file', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key.pem')
  writeFileSync(file, pem)
  assert.deepEqual(jwtOptions.parse({ publicKeys: [file, pem] }).publicKeys, [pem, pem])
})
