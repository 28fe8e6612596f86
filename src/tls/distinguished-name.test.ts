import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import { Authority } from '../../test/support/certificates.ts'
import { alternativeNames, certificateNames } from './certificate-names.ts'
import { commonNameOf, distinguishedNameOf } from './distinguished-name.ts'

const authority = new Authority()

const subjectOf = (subject: { commonName?: string; organization?: string; unit?: string }): string =>
  new X509Certificate(authority.issueClient({ subject }).cert).subject

test('the most specific part comes first', () => {
  const subject = subjectOf({ organization: 'Example', unit: 'Shop', commonName: 'orders' })
  assert.equal(distinguishedNameOf(subject), 'CN=orders,OU=Shop,O=Example')
  assert.equal(commonNameOf(subject), 'orders')
})

test('special characters are escaped, and not in the common name', () => {
  for (const [name, written] of [
    ['a,O=Other', String.raw`CN=a\,O=Other,O=Example`],
    ['a\nCN=root', String.raw`CN=a\0ACN=root,O=Example`],
    ['a + CN=root', String.raw`CN=a \+ CN=root,O=Example`],
    [String.raw`a\,b`, String.raw`CN=a\\\,b,O=Example`],
    ['"quoted"', String.raw`CN=\"quoted\",O=Example`],
    ['Jürgen', 'CN=Jürgen,O=Example'],
  ] as const) {
    const subject = subjectOf({ organization: 'Example', commonName: name })
    assert.equal(distinguishedNameOf(subject), written)
    assert.equal(commonNameOf(subject), name)
  }
})

test('a name is written as openssl writes it, so that it can be copied from there', () => {
  // openssl req -x509 -newkey ec … -multivalue-rdn -subj '/O=Exämple+CN=admin+OU=y/CN=b' -utf8; x509 -nameopt RFC2253,-esc_msb
  assert.equal(distinguishedNameOf('OU=y + O=Exämple + CN=admin\nCN=b'), 'CN=b,CN=admin+O=Exämple+OU=y')
})

test('a subject without a common name has none', () => {
  const subject = subjectOf({ organization: 'CN=root' })
  assert.equal(commonNameOf(subject), null)
  assert.equal(distinguishedNameOf(subject), 'O=CN=root')
  assert.equal(commonNameOf('CN=a\nCN=b'), null)
  assert.equal(commonNameOf('O=x\nCN=a + OU=b'), 'a')
})

test('alternative names have the requested type, and none can pass for several', () => {
  const names = ['spiffe://a/,DNS:evil.example', 'spiffe://b/"', 'spiffe://c/x', 'c.example', 'me@c.example']
  const certificate = new X509Certificate(authority.issueClient({ names }).cert)
  assert.deepEqual(alternativeNames(certificate, 'DNS'), ['c.example'])
  assert.deepEqual(alternativeNames(certificate, 'email'), ['me@c.example'])
  // Those that Node has to quote are left out.
  assert.deepEqual(alternativeNames(certificate, 'URI'), ['spiffe://c/x'])
  assert.deepEqual(certificateNames(certificate), ['c.example'])
})
