import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { isForeign } from './foreign.ts'

const OWN = 'http://api.example.com'
const TRUSTED = 'https://app.example.net'

const trusts = (origin: string): boolean => origin === TRUSTED

/** Whether a request with those fields is foreign; to api.example.com unless said otherwise. */
function foreign(method: string, site: string | null, origin: string | null, parts: Partial<Exchange> = {}): boolean {
  const sent: [string, string][] = []
  if (site !== null) sent.push(['Sec-Fetch-Site', site])
  if (origin !== null) sent.push(['Origin', origin])
  return isForeign(makeExchange({ method, headers: Headers.of(sent), ...parts }), trusts)
}

const clientOf = (scheme: 'http' | 'https', host: string | null = null) => ({
  client: {
    address: '192.0.2.1',
    scheme,
    host,
    claims: '',
    proxied: false,
    certificate: null,
    hops: [],
    peerCertificate: null,
    forwardingFields: () => '',
  },
})

test('pages of any site may read', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS'])
    for (const site of ['cross-site', null])
      for (const origin of ['null', 'https://attacker.test', null]) assert.equal(foreign(method, site, origin), false)
})

test('pages of another site may not write, according to Sec-Fetch-Site', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'get'])
    for (const site of ['cross-site', 'something new', ''])
      for (const origin of [OWN, 'https://attacker.test', 'null', null])
        assert.equal(foreign(method, site, origin), true)
  for (const site of ['same-origin', 'same-site', 'none'])
    for (const origin of [OWN, 'https://other.example.com', null]) assert.equal(foreign('POST', site, origin), false)
})

for (const origin of [
  'null',
  '',
  'https://attacker.test',
  'http://api.example.com.attacker.test',
  'http://sub.api.example.com',
  'http://api.example.com:8080',
  'http://attacker.test/api.example.com',
  'http://attacker.test@api.example.org',
  'http://xapi.example.com',
  'api.example.com',
  'null, http://api.example.com',
])
  test(`without Sec-Fetch-Site a write from the origin ${JSON.stringify(origin)} is foreign`, () => {
    for (const method of ['POST', 'DELETE']) assert.equal(foreign(method, null, origin), true)
  })

test('without Sec-Fetch-Site a page of the requested host may write', () => {
  assert.equal(foreign('POST', null, OWN), false)
  // Behind a proxy that ends TLS and is not among trustedProxies.
  assert.equal(foreign('POST', null, 'https://api.example.com'), false)
  assert.equal(foreign('POST', null, 'http://localhost:3000', { host: 'localhost:3000' }), false)
  assert.equal(foreign('POST', null, 'http://localhost:3000', { host: 'localhost:8000' }), true)
  assert.equal(foreign('POST', null, OWN, { host: 'API.Example.COM:80' }), false)
  assert.equal(foreign('POST', null, 'https://api.example.com', { host: 'api.example.com:443' }), false)
  assert.equal(foreign('POST', null, 'http://[::1]:8000', { host: '[::1]:8000' }), false)
})

test('the host and scheme are those reported by a trusted proxy', () => {
  const proxied = { host: 'gateway:8000', ...clientOf('https', 'shop.example.com') }
  assert.equal(foreign('POST', null, 'https://shop.example.com', proxied), false)
  assert.equal(foreign('POST', null, 'http://shop.example.com', proxied), true)
  assert.equal(foreign('POST', null, 'https://gateway:8000', proxied), true)
})

test('a request without either header is not from a browser', () => {
  for (const method of ['POST', 'PUT', 'DELETE']) assert.equal(foreign(method, null, null), false)
  assert.equal(foreign('GET', null, null, { upgrade: 'websocket' }), false)
})

test('pages of trusted origins, and of those allowed credentials by cors, may write', () => {
  for (const site of ['cross-site', 'same-site', null])
    for (const upgrade of ['websocket', null]) {
      assert.equal(foreign('POST', site, TRUSTED, { upgrade }), false)
      const sharesCredentials = (origin: string): boolean => origin === 'https://spa.example.org'
      assert.equal(foreign('POST', site, 'https://spa.example.org', { upgrade, sharesCredentials }), false)
      assert.equal(
        foreign('POST', site, 'https://evil.example.org', { upgrade, sharesCredentials }),
        site !== 'same-site' || upgrade !== null,
      )
      assert.equal(
        foreign('POST', site, 'null', { upgrade, sharesCredentials }),
        site !== 'same-site' || upgrade !== null,
      )
    }
})

test('a WebSocket is only for pages of the same origin, whatever Sec-Fetch-Site says', () => {
  const open = (site: string | null, origin: string | null) => !foreign('GET', site, origin, { upgrade: 'websocket' })
  assert.ok(open(null, OWN))
  assert.ok(open('same-origin', OWN))
  assert.ok(open('same-origin', null))
  for (const site of ['same-site', 'cross-site', 'none']) assert.ok(!open(site, null))
  for (const site of ['same-origin', 'same-site', 'cross-site', null])
    for (const origin of ['https://app.example.com', 'https://attacker.test', 'null', ''])
      assert.ok(!open(site, origin))
})
