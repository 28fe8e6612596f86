import assert from 'node:assert/strict'
import { createPublicKey, createSecretKey } from 'node:crypto'
import test from 'node:test'
import { makeExchange } from '../../../../test/support/exchange.ts'
import { Bytes } from '../../../http/body.ts'
import { Headers } from '../../../http/headers.ts'
import { parseByteSequences, parseInnerLists } from '../../structured-fields.ts'
import { isSignature, type SignatureKey } from './algorithms.ts'
import { signatureBase } from './components.ts'
import { checkContentDigest } from './content-digest.ts'

const publicKey = (base64: string) =>
  createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' })

/** RFC 9421 appendix B.1. */
const keys = {
  'test-key-rsa-pss': {
    algorithm: 'rsa-pss-sha512',
    key: publicKey(
      'MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAK+LZpt69tFnfz26rz9bNvkBLb6bkWlfGKuNII1EfMtkY8WunaRthlx2z37zLPHLfi4dRh+OcdvE' +
        'cN0cud5pvqAF48kPOjpw5GeTfJWG4IA+Dt8OjOqQLy5IZPeQJ3U64n2yBTzVPDzzDuzsqxQB6oA7M54zxZkzrQhHDdmdRaVoHIcLmCzy/lqJKpbXddZ6' +
        'qs4vmyfXL0igA2HVAADeVlLc3aYsui204EsT+6HIlOE59IOSOmg2SewPC86NCksmWKAOPOZqnDtBlQHVcPZauGjk/b+nfp2+G5zZEFZJS0N31QLyZvsX' +
        'QzqfSwjQjePFdqZwzpBVevlPZ1eaMnOlyNsCAwEAAQ==',
    ),
  },
  'test-key-ecc-p256': {
    algorithm: 'ecdsa-p256-sha256',
    key: publicKey(
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCn' +
        'TNnoXQ==',
    ),
  },
  'test-key-ed25519': {
    algorithm: 'ed25519',
    key: publicKey('MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs='),
  },
  'test-shared-secret': {
    algorithm: 'hmac-sha256',
    key: createSecretKey(
      Buffer.from('uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==', 'base64'),
    ),
  },
} as const satisfies Record<string, SignatureKey>

/** The request of appendix B.2. */
const request = () =>
  makeExchange({
    method: 'POST',
    host: 'example.com',
    path: '/foo',
    query: '?param=Value&Pet=dog',
    target: '/foo?param=Value&Pet=dog',
    headers: Headers.of([
      ['Date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['Content-Type', 'application/json'],
      [
        'Content-Digest',
        'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
      ],
    ]),
    body: Bytes.fromText('{"hello": "world"}'),
  })

/** Section of the RFC -> Signature-Input and Signature. */
const vectors: Readonly<Record<string, readonly [input: string, signature: string]>> = {
  'B.2.1, minimal': [
    'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
    'sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:',
  ],
  'B.2.2, selective': [
    'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
    'sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:',
  ],
  'B.2.3, full': [
    'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"',
    'sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:',
  ],
  'B.2.5, hmac-sha256': [
    'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  ],
  'B.2.6, ed25519': [
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    'sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
  ],
}

for (const [name, [written, value]] of Object.entries(vectors))
  test(`the signature of RFC 9421 section ${name} is valid for its request only`, () => {
    const [[label, input] = assert.fail()] = [...(parseInnerLists(written) ?? [])]
    const signature = parseByteSequences(value)?.get(label) ?? assert.fail()
    const key = keys[String(input.parameters.get('keyid')) as keyof typeof keys]
    const base = signatureBase(input, request()) ?? assert.fail()
    assert.ok(isSignature(base, signature, key))
    assert.ok(!isSignature(`${base} `, signature, key))
    assert.ok(!isSignature(base, Buffer.concat([signature, Buffer.from([0])]), key))
    assert.ok(!isSignature(base, Buffer.alloc(0), key))
  })

test('the response signature of RFC 9421 section B.2.4 is valid for its base only', () => {
  const base = [
    '"@status": 200',
    '"content-type": application/json',
    '"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    '"content-length": 23',
    '"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
  ].join('\n')
  const signature = Buffer.from(
    'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==',
    'base64',
  )
  assert.ok(isSignature(base, signature, keys['test-key-ecc-p256']))
  assert.ok(!isSignature(base.replace('200', '201'), signature, keys['test-key-ecc-p256']))
})

test('the digest in the request matches its body', async () => {
  const exchange = request()
  await checkContentDigest(exchange, 100)
  assert.equal(exchange.body instanceof Bytes && exchange.body.toText(), '{"hello": "world"}')
})

/** What stands for a component of the request with these parts; null for none. */
function lineOf(component: string, parts: Parameters<typeof makeExchange>[0] = {}): string | null {
  const input = parseInnerLists(`sig=(${component})`)?.get('sig') ?? assert.fail(component)
  const base = signatureBase(input, Object.assign(request(), parts))
  return base === null ? null : (base.split('\n')[0] ?? '')
}

test('components have the values of RFC 9421 section 2', () => {
  const { client } = request()
  const secure = { client: { ...client, scheme: 'https' as const }, host: 'WWW.Example.com:443' }
  assert.equal(lineOf('"@target-uri"', secure), '"@target-uri": https://www.example.com/foo?param=Value&Pet=dog')
  assert.equal(lineOf('"@authority"', { host: 'example.com:8080' }), '"@authority": example.com:8080')
  assert.equal(lineOf('"@authority"', { client: { ...client, host: 'api.example' } }), '"@authority": api.example')
  assert.equal(lineOf('"@scheme"', secure), '"@scheme": https')
  assert.equal(lineOf('"@request-target"'), '"@request-target": /foo?param=Value&Pet=dog')
  assert.equal(lineOf('"@query"', { query: '' }), '"@query": ?')
  const query = '?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something'
  assert.equal(
    lineOf('"@query-param";name="var"', { query }),
    '"@query-param";name="var": this%20is%20a%20big%0Amultiline%20value',
  )
  assert.equal(lineOf('"@query-param";name="bar"', { query }), '"@query-param";name="bar": with%20plus%20whitespace')
  assert.equal(
    lineOf('"@query-param";name="fa%C3%A7ade%22%3A%20"', { query }),
    '"@query-param";name="fa%C3%A7ade%22%3A%20": something',
  )
  const headers = Headers.of([
    ['X-Several', 'a'],
    ['X-Several', 'b, c'],
    ['X-Empty', ''],
  ])
  assert.equal(lineOf('"x-several"', { headers }), '"x-several": a, b, c')
  assert.equal(lineOf('"x-several";bs', { headers }), '"x-several";bs: :YQ==:, :YiwgYw==:')
  assert.equal(lineOf('"x-empty"', { headers }), '"x-empty": ')
})

test('missing and ambiguous components are null', () => {
  for (const component of [
    '"x-missing"',
    '"Date"',
    'token',
    '"@status"',
    '"@method";req',
    '"@path" "@path"',
    '"date";sf',
    '"date";tr',
    '"date";bs;key="a"',
    '"@query-param"',
    '"@query-param";name="none"',
    '"constructor"',
    '"@constructor"',
    '1',
  ])
    assert.equal(lineOf(component), null, component)
  assert.equal(lineOf('"@query-param";name="a"', { query: '?a=1&a=2' }), null)
})
