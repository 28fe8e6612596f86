import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import * as fc from 'fast-check'
import { Authority, newKey, selfSigned, serialOf } from '../../../test/support/certificates.ts'
import { createCertificate } from './certificate.ts'
import { octetString } from './der.ts'

const NOON = Date.UTC(2026, 5, 1, 12)
const DAY = 24 * 3_600_000

/** What OpenSSL prints of a certificate. */
function shown(cert: string): string {
  return execFileSync('openssl', ['x509', '-noout', '-text', '-nameopt', 'RFC2253'], { input: cert, encoding: 'utf8' })
}

test('a certificate has what was requested, as Node and OpenSSL read it', () => {
  const ca = new Authority({ subject: { commonName: 'Root', organization: 'Ünïcode Ltd', unit: 'Keys' } })
  const names = ['example.com', '*.example.com', '192.0.2.7', '2001:db8::7', 'spiffe://example.com/a', 'a@example.com']
  const { cert, key } = ca.issue({
    subject: { commonName: 'example.com' },
    names,
    notBefore: NOON,
    notAfter: NOON + DAY,
  })
  const read = new X509Certificate(cert)
  assert.equal(read.subject, 'CN=example.com')
  assert.equal(read.issuer, 'O=Ünïcode Ltd\nOU=Keys\nCN=Root')
  assert.equal(
    read.subjectAltName,
    'DNS:example.com, DNS:*.example.com, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7, ' +
      'URI:spiffe://example.com/a, email:a@example.com',
  )
  assert.equal(read.validFromDate.getTime(), NOON)
  assert.equal(read.validToDate.getTime(), NOON + DAY)
  assert.equal(read.ca, false)
  assert.ok(read.checkPrivateKey(createPrivateKey(key)))
  assert.ok(read.checkIssued(new X509Certificate(ca.cert)))
  assert.ok(read.verify(new X509Certificate(ca.cert).publicKey))
  const text = shown(cert)
  assert.match(text, /Version: 3 \(0x2\)/)
  assert.match(text, /Basic Constraints: critical\s+CA:FALSE/)
  assert.match(text, /Key Usage: critical\s+Digital Signature\n/)
  assert.match(text, /Extended Key Usage:\s+TLS Web Server Authentication\n/)
  assert.match(
    shown(ca.cert),
    /Basic Constraints: critical\s+CA:TRUE[^]*Key Usage: critical\s+Certificate Sign, CRL Sign\n/,
  )
})

test('every type of key can sign, and OpenSSL verifies the chain', () => {
  const kinds = [
    newKey('rsa'),
    ...['P-256', 'P-384', 'P-521'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey),
    generateKeyPairSync('ed25519').privateKey,
  ]
  const signed = ['sha256WithRSAEncryption', 'ecdsa-with-SHA256', 'ecdsa-with-SHA384', 'ecdsa-with-SHA512', 'ED25519']
  for (const [i, key] of kinds.entries()) {
    const { cert } = selfSigned({ key, names: ['localhost'] })
    assert.ok(new X509Certificate(cert).verify(new X509Certificate(cert).publicKey))
    assert.match(shown(cert), new RegExp(`Signature Algorithm: ${signed[i]}\n`))
  }
  assert.match(shown(selfSigned({ key: 'rsa' }).cert), /Key Usage: critical\s+Digital Signature, Key Encipherment\n/)
  const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  assert.throws(
    () => selfSigned({ key: other }),
    /no certificate can be signed with this key: expected RSA, Ed25519, or/,
  )
})

test('dates before and after 2050 are encoded correctly', () => {
  const notBefore = Date.UTC(2049, 11, 31, 23, 59, 59)
  const read = new X509Certificate(selfSigned({ notBefore, notAfter: notBefore + 1000 }).cert)
  assert.equal(read.validFromDate.getTime(), notBefore)
  assert.equal(read.validToDate.getTime(), Date.UTC(2050, 0, 1))
})

test('serial numbers are random, positive, and at most 20 bytes long', () => {
  const ca = new Authority()
  const serials = Array.from({ length: 50 }, () => serialOf(ca.issue().cert))
  assert.equal(new Set(serials).size, 50)
  for (const serial of serials) assert.match(serial.toString(16), /^[4-7][0-9a-f]{31}$/)
})

test('property: any serial number and any address is read back', () => {
  const key = newKey()
  const issuer = { subject: { commonName: 'Test' }, key }
  fc.assert(
    fc.property(fc.bigInt(1n, 2n ** 159n), fc.ipV4(), fc.ipV6(), (serial, ipv4, ipv6) => {
      const validity = { notBefore: NOON, notAfter: NOON + DAY }
      const cert = createCertificate({ subject: {}, key, issuer, serial, names: [ipv4, ipv6], ...validity })
      const read = new X509Certificate(cert)
      assert.equal(BigInt(`0x${read.serialNumber}`), serial)
      assert.equal(read.checkIP(ipv4), ipv4)
      assert.equal(read.checkIP(ipv6), ipv6)
    }),
  )
})

test('names that a certificate cannot hold are rejected', () => {
  for (const name of ['münchen.example', '', 'two words', 'fe80::1%eth0', 'a\0b.example'])
    assert.throws(() => selfSigned({ names: [name] }), /is not allowed in a certificate/, name)
})

test('a custom extension is included as given, as RFC 8737 needs it', () => {
  const digest = Buffer.alloc(32, 7)
  const acmeIdentifier = { id: '1.3.6.1.5.5.7.1.31', critical: true, value: octetString(digest) }
  const text = shown(selfSigned({ names: ['example.com'], extensions: [acmeIdentifier] }).cert)
  assert.match(text, /1\.3\.6\.1\.5\.5\.7\.1\.31: critical\n +\. (?:\.+|[0-9A-F:]+)/)
  const parsed = execFileSync('openssl', ['asn1parse'], {
    input: selfSigned({ extensions: [acmeIdentifier] }).cert,
    encoding: 'utf8',
  })
  assert.match(parsed, new RegExp(`OCTET STRING +\\[HEX DUMP\\]:0420${'07'.repeat(32)}\n`))
})

test('the names of a certificate without a subject are critical', () => {
  assert.match(
    shown(selfSigned({ subject: {}, names: ['a.example'] }).cert),
    /Alternative Name: critical\n +DNS:a.example/,
  )
})

test('servers and clients accept certificates of one CA and its intermediates, and no others', async (t) => {
  const ca = new Authority()
  const between = ca.intermediate({ key: 'rsa' })
  const server = createServer({ ...between.issue({ key: 'rsa' }), ca: ca.cert, requestCert: true }, (socket) => {
    socket.end(String(socket.getPeerCertificate().subject.CN))
  })
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const port = (server.address() as AddressInfo).port
  const saidTo = async (options: object): Promise<string> => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...options })
    return (await socket.setEncoding('utf8').toArray()).join('')
  }
  assert.equal(await saidTo({ ca: ca.cert, ...between.issueClient() }), 'client')
  // To the client it is an end or a reset.
  assert.equal(await saidTo({ ca: ca.cert, ...new Authority().issueClient() }).catch(() => ''), '')
  await assert.rejects(saidTo({ ca: new Authority().cert, ...between.issueClient() }), /unable to|self-signed/)
  await assert.rejects(
    saidTo({ ca: ca.cert, ...between.issueClient(), servername: 'other.example' }),
    /ERR_TLS_CERT_ALTNAME_INVALID|altnames/,
  )
})

test('a revoked certificate is rejected by those who have the list', async (t) => {
  const ca = new Authority()
  const good = ca.issueClient()
  const bad = ca.issueClient()
  const crl = ca.revoke([bad.cert])
  const text = execFileSync('openssl', ['crl', '-noout', '-text'], { input: crl, encoding: 'utf8' })
  assert.match(text, new RegExp(`Serial Number: ${serialOf(bad.cert).toString(16)}\n`, 'i'))
  assert.doesNotMatch(
    execFileSync('openssl', ['crl', '-noout', '-text'], { input: ca.revoke([]), encoding: 'utf8' }),
    /Serial/,
  )
  const server = createServer(
    { ...ca.issue(), ca: ca.cert, crl, requestCert: true, maxVersion: 'TLSv1.2' },
    (socket) => {
      socket.end('in')
    },
  )
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const port = (server.address() as AddressInfo).port
  const output = async (client: object): Promise<string> =>
    String(
      await connect({ port, host: '127.0.0.1', ca: ca.cert, ...client })
        .setEncoding('utf8')
        .toArray(),
    )
  assert.equal(await output(good), 'in')
  assert.equal(await output(bad).catch(() => ''), '')
})
