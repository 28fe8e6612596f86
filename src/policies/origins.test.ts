import assert from 'node:assert/strict'
import test from 'node:test'
import { compileOrigins, originPattern } from './origins.ts'

const spellings: Record<string, string> = {
  '*': '*',
  'https://app.example.com': 'https://app.example.com',
  'HTTPS://App.Example.com:443': 'https://app.example.com',
  'http://localhost:3000': 'http://localhost:3000',
  'http://[::1]:3000': 'http://[::1]:3000',
  'https://bücher.example': 'https://xn--bcher-kva.example',
  'https://*.example.com': 'https://*.example.com',
  '*.example.com': 'https://*.example.com',
  'http://*.example.com:8080': 'http://*.example.com:8080',
  'capacitor://localhost': 'capacitor://localhost',
  'chrome-extension://*.a': 'chrome-extension://*.a',
}

for (const [written, origin] of Object.entries(spellings))
  test(`${written} is normalized to ${origin}`, () => {
    assert.equal(originPattern.parse(written), origin)
  })

for (const text of [
  '',
  'app.example.com',
  'localhost:3000',
  'https://',
  'https://a.example/',
  'https://a.example/path',
  'https://a.example?b',
  'https://user@a.example',
  'https://a.example:99999',
  'https://a.*.example',
  'https://*example.com',
  'https://*',
  'https://*.[::1]',
  'null',
  'file://',
  'app://A',
  'https://a b',
  'https://a\\b',
])
  test(`${JSON.stringify(text)} is rejected as an origin`, () => {
    assert.match(originPattern.safeParse(text).error?.issues[0]?.message ?? '', /expected "\*", an origin such as/)
  })

const patterns = ['https://app.example.com', 'https://*.example.org', 'http://*.example.net:8080']
const allows = compileOrigins(patterns.map((pattern) => originPattern.parse(pattern)))

for (const origin of [
  'https://app.example.com',
  'https://a.example.org',
  'https://b-1.a_2.example.org',
  'http://a.example.net:8080',
])
  test(`${origin} is allowed`, () => assert.ok(allows(origin)))

for (const origin of [
  '',
  'null',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.evil.test',
  'https://xapp.example.com',
  'https://example.org',
  'https://.example.org',
  'https://a..example.org',
  'https://evilexample.org',
  'https://a.example.org.evil.test',
  'https://evil.test/.example.org',
  'https://evil.test#.example.org',
  'https://user@a.example.org',
  'https://a.example.org:443',
  'http://a.example.org',
  'https://A.example.org',
  'https://a.example.net:8080',
  'http://a.example.net',
  'https://app.example.com, https://app.example.com',
])
  test(`${JSON.stringify(origin)} is not allowed`, () => assert.ok(!allows(origin)))
