import assert from 'node:assert/strict'
import test from 'node:test'
import { maskedSource } from './masked-source.ts'

const written = `# token: old-token-of-somebody
# the password of the team is kept elsewhere
admin:
  token: "a-token-of-operators" # secret=another
stores: { redis: { url: 'redis://user:hush@cache:6379/0' } }
policies:
  auth:
    methods:
      jwt:
        secret: \${JWT_SECRET}
        key: |
          -----BEGIN KEY-----
          abc
        secretFile: /run/secrets/jwt
      api-key: { keys: [{ id: ci, sha256: abcdef, tier: partner }] }
  own: { credentials: { user: alice, words: [open, sesame] } }
routes:
  - { id: all, match: { path: /* }, service: shop }
`

test('secrets are masked in place, and nothing else changes', () => {
  const masked = maskedSource(written)
  assert.equal(masked.split('\n').length, written.split('\n').length)
  for (const secret of ['old-token', 'a-token-of', 'another', 'hush', 'BEGIN', 'abc', 'abcdef', 'sesame', 'alice'])
    assert.ok(!masked.includes(secret), secret)
  for (const line of [
    '# the password of the team is kept elsewhere',
    '        secret: ${JWT_SECRET}',
    '  - { id: all, match: { path: /* }, service: shop }',
    '          [redacted]',
    '      api-key: { keys: [{ id: ci, sha256: [redacted], tier: partner }] }',
  ])
    assert.ok(masked.split('\n').includes(line), `${line}\n${masked}`)
  assert.match(masked, /^ {2}token: \[redacted\] # secret=\[redacted\]$/m)
  assert.match(masked, /redis:\/\/\[redacted\]@cache:6379\/0/)
})

test('credentials with a scheme are masked in every style', () => {
  const lines = [
    'a: Bearer hush',
    'b: "Bearer hush"',
    "c: 'Basic hush'",
    'd: >-',
    '  token hush',
    'e: [x, "apikey hush"]',
  ]
  const masked = maskedSource(`${lines.join('\n')}\n`)
  assert.ok(!masked.includes('hush'), masked)
  assert.ok(masked.includes('\nb: "Bearer [redacted]"\n'), masked)
})

test('a text without secrets stays unchanged', () => {
  const plain =
    '# how it is\nroutes:\n  - id: all # the only one\n    match: { path: "/*" }\n    reply: { status: 204 }\n'
  assert.equal(maskedSource(plain), plain)
})
