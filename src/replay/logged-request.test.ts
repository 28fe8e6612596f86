import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { readLine } from './logged-request.ts'

test('property: any line is a request, another line, or has a reason', () => {
  const member = fc.constantFrom(
    'timestamp',
    'duration_ms',
    'status_code',
    'method',
    'url',
    'ip_address',
    'route',
    'headers',
  )
  const access = fc
    .dictionary(member, fc.jsonValue())
    .map((parts) => JSON.stringify({ ...parts, message: 'API Gateway Request' }))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), access), (text) => {
      const read = readLine(text, 1)
      assert.equal(Object.keys(read).length, 1)
      if (!('request' in read)) return
      const { start, path } = read.request
      assert.ok(!Number.isNaN(start) && path !== '')
    }),
  )
})

test('a URL is split as it was logged', () => {
  const line = (url: string) => ({
    timestamp: '2026-11-29T10:00:00.000Z',
    duration_ms: 2,
    status_code: 200,
    method: 'GET',
    url,
    ip_address: '192.0.2.1',
    route: 'a',
    message: 'API Gateway Request',
  })
  for (const [url, ...parts] of [
    ['http://shop.test/a/b?c=/d?e', 'http', 'shop.test', '/a/b', '?c=/d?e'],
    ['https://[2001:db8::1]:8443/', 'https', '[2001:db8::1]:8443', '/', ''],
    ['/a', 'http', '', '/a', ''],
    ['*', 'http', '', '*', ''],
    ['http://shop.test*', 'http', 'shop.test', '*', ''],
  ] as const) {
    const read = readLine(JSON.stringify(line(url)), 1)
    assert.ok('request' in read, url)
    const { scheme, host, path, query } = read.request
    assert.deepEqual([scheme, host, path, query], parts)
  }
})
