import assert from 'node:assert/strict'
import test from 'node:test'
import { isAuthority } from './authority.ts'

test('an authority is a name or an address with an optional port', () => {
  for (const text of [
    'a',
    'example.com',
    'EXAMPLE.com:80',
    '127.0.0.1:8000',
    '[::1]',
    '[2001:db8::1]:443',
    '_dmarc.a',
    'a-b.c.',
  ])
    assert.ok(isAuthority(text), text)
})

test('anything else is not an authority', () => {
  for (const text of [
    '',
    ':80',
    'a:',
    'a:b',
    'a:123456',
    'a:80:80',
    'user@a',
    'a/b',
    'a b',
    'a,b',
    'a%41',
    'a#',
    'a?b',
    "a'b",
    '.a',
    '-a',
    '[',
    '[]',
    '[::1',
    '::1',
    '[::1]x',
    '[v1.x]',
    '[fe80::1%25eth0]',
    'é',
    'a\n',
    'a'.repeat(255),
  ])
    assert.ok(!isAuthority(text), JSON.stringify(text))
})
