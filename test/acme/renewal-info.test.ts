import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { askRenewalInfo, certificateId } from '../../src/acme/renewal-info.ts'
import { Session } from '../../src/acme/session.ts'
import { Transport } from '../../src/acme/transport.ts'
import { systemClock } from '../../src/core/clock.ts'
import { Authority, selfSigned } from '../support/certificates.ts'
import { cleanUp } from '../support/cleanup.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const HOUR = 3600_000

interface Said {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A CA that replies the same to every request for renewal information. */
async function startCa(t: TestContext, said: Said, clock = new ManualClock()) {
  const authority = new Authority()
  const requests: string[] = []
  const server = createServer(authority.issue(), ({ url = '' }, response) => {
    requests.push(url)
    const base = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const urls = { newNonce: `${base}/n`, newAccount: `${base}/a`, newOrder: `${base}/o`, renewalInfo: `${base}/ari` }
    if (url === '/dir') response.end(JSON.stringify(urls))
    else response.writeHead(said.status ?? 200, said.headers).end(said.body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const transport = new Transport(systemClock, new AbortController().signal, authority.cert)
  cleanUp(t, () => {
    transport.close()
    server.close().closeAllConnections()
  })
  const leaf = new X509Certificate(authority.issue({ serial: 0x8765432101n }).cert)
  return { session: new Session(`https://127.0.0.1:${port}/dir`, transport, clock), asked: requests, leaf }
}

const windowOf = (start: string, end: string) => JSON.stringify({ suggestedWindow: { start, end } })

test('renewal information is requested by the key identifier of the issuer and the serial number', async (t) => {
  const { session, asked, leaf } = await startCa(t, {
    headers: { 'Retry-After': '21600' },
    body: windowOf('2026-01-02T04:00:00Z', '2026-01-03T04:00:00+01:00'),
  })
  assert.deepEqual(await askRenewalInfo(session, leaf), {
    start: Date.UTC(2026, 0, 2, 4),
    end: Date.UTC(2026, 0, 3, 3),
    again: 6 * HOUR,
  })
  // The serial number has a leading zero, since its first bit would otherwise be a sign.
  assert.equal(asked[1]!.split('.')[1], Buffer.from('008765432101', 'hex').toString('base64url'))
})

test('the identifier of the example in RFC 9773 section 4.1 is correct', () => {
  const leaf = new X509Certificate(`-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
`)
  assert.equal(certificateId(leaf), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')
})

test('Retry-After is limited to a minute at least and a day at most', async (t) => {
  const body = windowOf('2026-01-02T04:00:00Z', '2026-01-03T04:00:00Z')
  for (const [field, again] of [
    ['0', 60_000],
    ['99999999', 24 * HOUR],
    ['soon', 6 * HOUR],
  ] as const) {
    const { session, leaf } = await startCa(t, { headers: { 'Retry-After': field }, body })
    assert.equal((await askRenewalInfo(session, leaf))!.again, again, field)
  }
})

for (const [what, said, message] of [
  ['a missing window', { body: '{}' }, /the renewal information is not as RFC 8555 requires/],
  ['an invalid date', { body: windowOf('tomorrow', 'later') }, /is not as RFC 8555 requires/],
  ['a too large answer', { body: 'x'.repeat(300_000) }, /the response is larger than 262144 bytes/],
  [
    'an error',
    { status: 503, body: '{"type":"urn:ietf:params:acme:error:serverInternal","detail":"down"}' },
    /down \(serverInternal\)/,
  ],
  ['a redirect', { status: 302, headers: { Location: 'https://elsewhere.test' }, body: '' }, /status 302/],
] as const)
  test(`${what} is an error`, async (t) => {
    const { session, leaf } = await startCa(t, said)
    await assert.rejects(askRenewalInfo(session, leaf), message)
  })

test('a certificate without an authority key identifier has no identifier', () => {
  const { raw, serialNumber } = new X509Certificate(selfSigned().cert)
  const cut = (end: number) => certificateId({ raw: raw.subarray(0, end), serialNumber } as X509Certificate)
  assert.equal(cut(40), null)
  const found = raw.indexOf(Buffer.from('0603551d23', 'hex'))
  for (let end = found; end < found + 16; end++) assert.equal(cut(end), null)
})
