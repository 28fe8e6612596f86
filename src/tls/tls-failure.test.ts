import assert from 'node:assert/strict'
import test from 'node:test'
import { explainHandshake, explainTls, TlsFailure } from './tls-failure.ts'

function explained(code: string, message = '', more: object = {}): string {
  return explainTls(Object.assign(new Error(message), { code }, more), 'users.internal', true).message
}

test('a certificate error is explained in plain words, with its code at the end', () => {
  for (const [code, words] of [
    ['CERT_HAS_EXPIRED', 'the certificate, or one in its chain, has expired'],
    ['CERT_NOT_YET_VALID', 'the certificate is not valid yet'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is self-signed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'the certificate was issued by an unknown CA'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the certificate was issued by an unknown CA'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the certificate was issued by an unknown CA'],
    ['INVALID_PURPOSE', 'the certificate is not valid for servers'],
    ['CERT_SIGNATURE_FAILURE', 'the signature of the certificate is wrong'],
  ]) {
    const text = explained(code!)
    assert.ok(text.startsWith(words!) && text.endsWith(` (${code})`), text)
  }
})

test('alerts and connections without TLS are told apart', () => {
  for (const [code, words] of [
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', /does not speak TLS/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /asks for a client certificate: set/],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', /refuses the client certificate/],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', /refuses the client certificate/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /refuses the client certificate/],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', /does not recognize the server name/],
    [
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      /does not speak the requested version of HTTP: see its option http2/,
    ],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', /does not support TLS 1\.2 or later/],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', /does not support TLS 1\.2 or later/],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', /ended the handshake/],
  ] as const)
    assert.match(explained(code), words, code)
})

test('without a client certificate, no alert claims that it was refused', () => {
  for (const code of ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED']) {
    const error = Object.assign(new Error(), { code })
    for (const explain of [explainTls, explainHandshake])
      assert.match(explain(error, 'users.internal', false).message, /asks for a client certificate: set/)
  }
})

test('a name mismatch lists the names of the certificate, as far as they fit', () => {
  const cert = { subjectaltname: 'DNS:orders.internal' }
  assert.match(
    explained('ERR_TLS_CERT_ALTNAME_INVALID', '', { cert }),
    /^the certificate is for DNS:orders\.internal, not for "users\.internal"/,
  )
  assert.match(
    explained('ERR_TLS_CERT_ALTNAME_INVALID'),
    /^the certificate is for another name, not for "users\.internal"/,
  )
  const many = { subjectaltname: 'DNS:a.example, '.repeat(1000) }
  assert.ok(explained('ERR_TLS_CERT_ALTNAME_INVALID', '', { cert: many }).length < 400)
})

test('errors that do not concern TLS, or are already explained, are unchanged', () => {
  for (const error of [new Error('connect ECONNREFUSED'), new TlsFailure('known')])
    assert.equal(explainTls(error, 'users.internal', true), error)
})

test('a connection that is reset during the handshake is explained as closed in the middle of it', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  assert.match(explainHandshake(reset, 'users.internal', true).message, /closed in the middle of the handshake/)
  assert.equal(explainTls(reset, 'users.internal', true), reset)
})
