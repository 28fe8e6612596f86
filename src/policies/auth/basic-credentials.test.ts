import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Headers } from '../../http/headers.ts'
import { basicCredentials, dropBasicCredentials } from './basic-credentials.ts'
import { CredentialError } from './credential-error.ts'

const encoded = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const headersWith = (...values: string[]): Headers =>
  Headers.of(values.map((value) => ['Authorization', value] as const))
const read = (...values: string[]) => basicCredentials(headersWith(...values))

test('a name ends at the first colon, in UTF-8, and the scheme is case-insensitive', () => {
  // RFC 7617 sections 2 and 2.1.
  assert.deepEqual(read('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { name: 'Aladdin', password: 'open sesame' })
  assert.deepEqual(read('bAsIc dGVzdDoxMjPCow=='), { name: 'test', password: '123£' })
  assert.deepEqual(read(`Basic ${encoded('a:b:c')}`), { name: 'a', password: 'b:c' })
  assert.deepEqual(read(`Basic ${encoded(':')}`), { name: '', password: '' })
})

test('other schemes and missing credentials are null', () => {
  for (const values of [[], ['Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=='], ['Basically QTpi']])
    assert.equal(read(...values), null)
})

test('malformed credentials are rejected', () => {
  for (const value of [
    'Basic',
    'Basic QQ=',
    'Basic ====',
    `Basic ${encoded('no colon')}`,
    `Basic ${encoded('a:b')} x`,
    `Basic ${encoded('a:b\n')}`,
    `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xa3]))}`,
    'Basic YTpi,Basic YTpi',
  ])
    assert.throws(() => read(value), { reason: 'malformed-password' }, value)
  assert.throws(() => read('Basic YTpi', 'Basic YTpi'), { reason: 'repeated' })
})

test('property: any value is a pair, null, or rejected, and a pair is decoded exactly', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !/\p{Cc}/u.test(each) && each.isWellFormed())
  fc.assert(
    fc.property(text, text, fc.string({ minLength: 1 }), (name, password, anything) => {
      const plain = name.replaceAll(':', '').normalize('NFC')
      assert.deepEqual(read(`Basic ${encoded(`${plain}:${password}`)}`), { name: plain, password })
      try {
        read(`Basic ${encoded(anything)}`)
      } catch (error) {
        assert.ok(error instanceof CredentialError)
      }
    }),
  )
})

test('conceal only removes Basic credentials', () => {
  for (const [value, left] of [
    ['basic YTpi', undefined],
    ['Basic', undefined],
    ['Bearer a', 'Bearer a'],
  ] as const) {
    const headers = headersWith(value)
    dropBasicCredentials(headers)
    assert.equal(headers.get('Authorization'), left)
  }
})
