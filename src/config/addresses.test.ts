import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { formatAddress } from '../core/address.ts'
import { isNetwork } from '../core/network-list.ts'
import { parseHostAndPort, parseInstanceUrl } from './addresses.ts'

test('a formatted address parses to the same host and port', () => {
  const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain())
  fc.assert(
    fc.property(hosts, fc.nat(65535), (host, port) => {
      const address = { host: host.toLowerCase(), port }
      assert.deepEqual(parseHostAndPort(formatAddress(address)), address)
    }),
  )
})

test('brackets of an IPv6 address are not part of the host', () => {
  assert.deepEqual(parseHostAndPort('[::1]:80'), { host: '::1', port: 80 })
  assert.deepEqual(parseHostAndPort('[FE80::1]'), { host: 'fe80::1', port: undefined })
})

test('invalid host and port texts are rejected', () => {
  for (const text of [
    '',
    ':80',
    'a:',
    'a:65536',
    'a:-1',
    'a b:1',
    '::1:80',
    '[::1',
    '[a]:1',
    'a..b:1',
    '-a:1',
    'a/b',
    'u@a:1',
  ])
    assert.equal(parseHostAndPort(text), undefined, text)
})

test('an instance is an http URL with host and port, 80 by default', () => {
  assert.deepEqual(parseInstanceUrl('http://Users:8001/'), { scheme: 'http', host: 'users', port: 8001 })
  assert.deepEqual(parseInstanceUrl('HTTPS://Users'), { scheme: 'https', host: 'users', port: 443 })
  assert.deepEqual(parseInstanceUrl('http://[::1]'), { scheme: 'http', host: '::1', port: 80 })
  for (const text of [
    'users:8001',
    'ftp://a',
    'httpss://a',
    'http://',
    'http://a/b',
    'http://a?b',
    'http://a#b',
    'http://u:p@a',
    'http://a:0',
  ])
    assert.equal(parseInstanceUrl(text), undefined, text)
})

test('a network is an address with an optional prefix of at most its length', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '::/128'])
    assert.ok(isNetwork(text), text)
  for (const text of ['', '10.0.0', '10.0.0.0/', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/-1', 'a/8'])
    assert.ok(!isNetwork(text), text)
})
