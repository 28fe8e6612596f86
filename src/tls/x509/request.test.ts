import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { newKey } from '../../../test/support/certificates.ts'
import { createRequest } from './request.ts'

test('a request contains its names, and OpenSSL verifies its signature', () => {
  for (const kind of ['ec', 'rsa'] as const) {
    const request = createRequest({ key: newKey(kind), names: ['example.com', '*.example.com', '192.0.2.7'] })
    const args = ['req', '-inform', 'DER', '-noout', '-text', '-verify']
    const text = execFileSync('openssl', args, { input: request, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
    assert.match(text, /Version: 1 \(0x0\)\n +Subject: *\n/)
    assert.match(text, /Alternative Name: ?\n +DNS:example\.com, DNS:\*\.example\.com, IP Address:192\.0\.2\.7\n/)
    assert.match(text, kind === 'ec' ? /ecdsa-with-SHA256/ : /sha256WithRSAEncryption/)
  }
})

test('a request may have a subject', () => {
  const request = createRequest({ key: newKey(), names: ['a.example'], subject: { commonName: 'a.example' } })
  const args = ['req', '-inform', 'DER', '-noout', '-subject', '-nameopt', 'RFC2253']
  assert.equal(execFileSync('openssl', args, { input: request, encoding: 'utf8' }), 'subject=CN=a.example\n')
})
