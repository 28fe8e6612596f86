import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import type { ClientCertificate } from '../../http/client-certificate.ts'
import { headDigest } from './fingerprint.ts'

function digestFor(parts: Partial<ClientCertificate> | null): string {
  const exchange = makeExchange()
  const certificate: ClientCertificate | null = parts && {
    listener: '0.0.0.0:8443',
    subject: 'CN=orders',
    commonName: 'orders',
    names: { dns: [], uri: [], email: [] },
    issuer: 'CN=Example CA',
    serial: '01',
    fingerprint: '01',
    thumbprint: 'AQ',
    notAfter: 0,
    der: 'AQ==',
    chain: [],
    ...parts,
  }
  return headDigest({ ...exchange, client: { ...exchange.client, certificate } }, ['Authorization'])
}

test('anonymous callers are distinguished by the names in their client certificate, which may be renewed', () => {
  assert.notEqual(digestFor({}), digestFor(null))
  assert.notEqual(digestFor({}), digestFor({ subject: 'CN=users' }))
  assert.notEqual(digestFor({}), digestFor({ issuer: 'CN=Other CA' }))
  assert.notEqual(digestFor({}), digestFor({ names: { dns: [], uri: ['spiffe://example/users'], email: [] } }))
  assert.equal(digestFor({}), digestFor({ serial: '02', fingerprint: '02', notAfter: 1 }))
})
