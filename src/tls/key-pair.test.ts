import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { Authority, newKey, selfSigned } from '../../test/support/certificates.ts'
import { judgeKeyPair, readKeyPair } from './key-pair.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 24 * 3_600_000
const AROUND = { notBefore: NOW - DAY, notAfter: NOW + DAY }

const ca = new Authority()

/** What is wrong with a pair. */
function problems(cert: string, key: string): readonly string[] {
  return judgeKeyPair({ cert, key }, NOW).problems
}

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sallyport-'))
  t.after(() => rm(made, { recursive: true }))
  return made
}

test('a valid pair has no problems, and its names and dates are read', () => {
  const names = ['Example.com', '*.example.com', '192.0.2.1', '2001:db8:0:0::1', 'spiffe://example.com/a']
  for (const key of ['ec', 'rsa'] as const) {
    const pair = ca.intermediate().issue({ ...AROUND, key, names })
    assert.deepEqual(judgeKeyPair(pair, NOW), {
      problems: [],
      names: ['example.com', '*.example.com', '192.0.2.1', '2001:db8::1'],
      notBefore: NOW - DAY,
      notAfter: NOW + DAY,
      fingerprint: new X509Certificate(pair.cert).fingerprint256,
    })
  }
})

test('every key format that OpenSSL writes is read, with its surrounding text', () => {
  const rsa = newKey('rsa')
  const ec = newKey('ec')
  const certOf = { rsa: ca.issue({ ...AROUND, key: rsa }).cert, ec: ca.issue({ ...AROUND, key: ec }).cert }
  assert.deepEqual(problems(certOf.rsa, rsa.export({ type: 'pkcs1', format: 'pem' })), [])
  assert.deepEqual(problems(certOf.ec, ec.export({ type: 'sec1', format: 'pem' })), [])
  const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
  const both = `Subject: a\r\n${certOf.ec}\n${parameters}${ec.export({ type: 'sec1', format: 'pem' })}`
  assert.deepEqual(problems(both, both), [])
  assert.deepEqual(problems(both.replaceAll('\n', '\r\n'), both.replaceAll('\n', '\r\n')), [])
  const { privateKey } = generateKeyPairSync('ed25519')
  assert.deepEqual(
    problems(ca.issue({ ...AROUND, key: privateKey }).cert, privateKey.export({ type: 'pkcs8', format: 'pem' })),
    [],
  )
})

test('a pair is rejected once it has expired, and before it is valid', () => {
  const pair = ca.issue(AROUND)
  assert.deepEqual(judgeKeyPair(pair, NOW + DAY).problems, [])
  assert.deepEqual(judgeKeyPair(pair, NOW + DAY + 1).problems, ['certificate: expired on 2026-06-02T00:00:00Z'])
  assert.deepEqual(judgeKeyPair(pair, NOW - DAY).problems, [])
  assert.deepEqual(judgeKeyPair(pair, NOW - DAY - 1).problems, [
    'certificate: is not valid before 2026-05-31T00:00:00Z; is the clock of this machine right?',
  ])
  const stale = ca.intermediate({ notBefore: NOW - 9 * DAY, notAfter: NOW - DAY })
  const { cert, key } = stale.issue(AROUND)
  assert.deepEqual(problems(cert, key), [
    'certificate: certificate 2 of 2 (CN=Test intermediate CA) expired on 2026-05-31T00:00:00Z',
  ])
})

test('a key that does not match the certificate is rejected', () => {
  const expected = ['key: does not match the certificate in certificate']
  assert.deepEqual(problems(ca.issue(AROUND).cert, ca.issue(AROUND).key), expected)
  assert.deepEqual(problems(ca.issue({ ...AROUND, key: 'rsa' }).cert, ca.issue(AROUND).key), expected)
})

/** PEM of a certificate that has signed itself with an old digest, made by OpenSSL. */
async function signedWith(t: TestContext, digest: string, key: string): Promise<string> {
  const file = join(await folder(t), 'key.pem')
  await writeFile(file, key)
  const extension = ['-addext', 'subjectKeyIdentifier=none']
  const args = ['req', '-x509', `-${digest}`, '-key', file, '-subj', '/CN=Test CA', '-days', '1', ...extension]
  return execFileSync('openssl', args, { encoding: 'utf8' })
}

test('weak keys and signatures are rejected', async (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const unusual = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  const issue = (key: typeof weak): readonly string[] => {
    const pair = ca.issue({ ...AROUND, key })
    return problems(pair.cert, pair.key)
  }
  assert.deepEqual(issue(weak), ['certificate: has a weak RSA key of 1024 bits: expected at least 2048'])
  assert.deepEqual(issue(unusual), [
    'certificate: has an EC key on the curve secp256k1: expected P-256, P-384 or P-521',
  ])
  assert.deepEqual(issue(generateKeyPairSync('ed448').privateKey), [
    'certificate: has a key of the kind ed448: expected EC, RSA or Ed25519',
  ])
  const key = newKey('rsa').export({ type: 'pkcs8', format: 'pem' })
  for (const [digest, name] of [
    ['sha1', 'sha1WithRSAEncryption'],
    ['md5', 'md5WithRSAEncryption'],
  ] as const) {
    const cert = await signedWith(t, digest, key)
    assert.deepEqual(judgeKeyPair({ cert, key }, Date.now()).problems, [
      `certificate: has a weak signature (${name}): expected SHA-256 or better`,
    ])
  }
})

test('the signature of a root may be weak, since nobody relies on it', async (t) => {
  const root = newKey('rsa')
  const leaf = new Authority({ key: root }).issue()
  const cert = leaf.cert + (await signedWith(t, 'sha1', root.export({ type: 'pkcs8', format: 'pem' })))
  assert.deepEqual(judgeKeyPair({ ...leaf, cert }, Date.now()).problems, [])
})

test('certificates that do not form a chain are rejected, with advice', () => {
  const between = ca.intermediate()
  const leaf = between.issue(AROUND)
  const [own = '', link = ''] = leaf.cert.split(/(?<=END CERTIFICATE-----\n)/)
  assert.deepEqual(problems(own + link + ca.cert, leaf.key), [])
  assert.deepEqual(problems(link + own, leaf.key), [
    'certificate: certificate 2 (CN=localhost) did not sign certificate 1 (CN=Test intermediate CA): remove it, or replace it with the one that did',
    'certificate: the certificate of the key is number 2: put it first',
  ])
  assert.deepEqual(problems(own + ca.cert + link, leaf.key), [
    'certificate: certificate 2 (CN=Test CA) did not sign certificate 1 (CN=localhost), certificate 3 did: put each certificate before the one that signed it',
  ])
  assert.deepEqual(problems(own + new Authority().cert, leaf.key), [
    'certificate: certificate 2 (CN=Test CA) did not sign certificate 1 (CN=localhost): remove it, or replace it with the one that did',
  ])
  const impostor = ca.intermediate()
  assert.match(problems(own + impostor.cert, leaf.key).join(), /certificate 2 .* did not sign certificate 1/)
  const noCa = selfSigned({ ...AROUND, subject: { commonName: 'Test intermediate CA' } })
  assert.match(problems(own + noCa.cert, leaf.key).join(), /certificate 2 .* did not sign certificate 1/)
})

test('a certificate for another purpose is rejected, and one without a purpose is not', () => {
  const judge = (purposes: ('server' | 'client')[], purpose: 'server' | 'client'): readonly string[] =>
    judgeKeyPair(ca.issue({ ...AROUND, purposes }), NOW, undefined, purpose).problems
  assert.deepEqual(judge(['server'], 'server'), [])
  assert.deepEqual(judge(['server', 'client'], 'client'), [])
  assert.deepEqual(judge([], 'server'), [])
  assert.deepEqual(judge(['client'], 'server'), [
    'certificate: is not for TLS servers: have it issued with the extended key usage serverAuth',
  ])
  assert.deepEqual(judge(['server'], 'client'), [
    'certificate: is not for TLS clients: have it issued with the extended key usage clientAuth',
  ])
})

test('contents other than a certificate or private key are reported', () => {
  const { cert, key } = ca.issue(AROUND)
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' })
  const expectedCert = 'has no certificate in it: expected PEM, text that begins with -----BEGIN CERTIFICATE-----'
  const expectedKey = 'has no private key in it: expected PEM, text that begins with -----BEGIN PRIVATE KEY-----'
  assert.deepEqual(problems('', ''), [`certificate: ${expectedCert}`, `key: ${expectedKey}`])
  assert.deepEqual(problems(key, cert), [
    'certificate: is a private key: expected a certificate; have cert and key been mixed up?',
    'key: is a certificate: expected a private key; have cert and key been mixed up?',
  ])
  assert.deepEqual(problems(cert, publicKey), ['key: is a public key: expected the private one'])
  const request = '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'
  assert.deepEqual(problems(request, key), [
    'certificate: is a request for a certificate: expected the certificate that was issued for it',
  ])
  const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  assert.deepEqual(problems(cert + damaged, key), ['certificate: certificate 2 of 2 is damaged'])
  assert.deepEqual(problems(cert, damaged.replaceAll('CERTIFICATE', 'PRIVATE KEY')), [
    'key: is a private key that is damaged, or of an unknown kind',
  ])
})

test('a key with a passphrase is rejected, in both formats', () => {
  const key = newKey('rsa')
  const { cert } = ca.issue({ ...AROUND, key })
  const lock = { cipher: 'aes-256-cbc', passphrase: 'x', format: 'pem' } as const
  for (const type of ['pkcs8', 'pkcs1'] as const)
    assert.deepEqual(problems(cert, key.export({ type, ...lock })), [
      'key: is encrypted: expected a key without a passphrase, as "openssl pkey" writes it',
    ])
})

test('property: no text makes the check throw, and no problem shows the key', () => {
  const { cert, key } = ca.issue(AROUND)
  const piece = fc.constantFrom(cert, key, cert.slice(0, 90), key.slice(30), '-----BEGIN CERTIFICATE-----\n', '\n', 'x')
  const texts = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''))
  const secret = key.split('\n')[1]!
  fc.assert(
    fc.property(texts, texts, (first, second) => {
      for (const problem of problems(first, second)) assert.ok(!problem.includes(secret))
    }),
  )
})

test('a pair is read from its files, which problems name', async (t) => {
  const place = await folder(t)
  const files = { cert: join(place, 'tls.crt'), key: join(place, 'tls.key') }
  assert.deepEqual(readKeyPair(files, NOW).problems, [`${files.cert}: no such file`, `${files.key}: no such file`])
  const pair = ca.issue(AROUND)
  await writeFile(files.cert, pair.cert)
  await mkdir(files.key)
  const folderRead = readKeyPair(files, NOW)
  assert.deepEqual(folderRead.problems, [`${files.key}: is a folder; expected a file in it`])
  assert.equal(folderRead.pair, null)
  await rm(files.key, { recursive: true })
  await writeFile(files.key, pair.key)
  const good = readKeyPair(files, NOW)
  assert.deepEqual([good.problems, good.pair, good.names], [[], pair, ['localhost', '127.0.0.1', '::1']])
  await writeFile(files.key, ca.issue(AROUND).key)
  assert.deepEqual(readKeyPair(files, NOW).problems, [`${files.key}: does not match the certificate in ${files.cert}`])
  assert.deepEqual(readKeyPair({ cert: '/nowhere/a.pem', key: '/nowhere/a.pem' }, NOW).problems, [
    '/nowhere/a.pem: no such file',
  ])
})
