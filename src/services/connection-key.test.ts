import assert from 'node:assert/strict'
import test from 'node:test'
import { connectionKey } from './connection-key.ts'

const files = { ca: null, cert: '/etc/client.pem', key: '/etc/client.key' }

test('configurations with equal connection settings have the same key', () => {
  assert.equal(connectionKey(null, 'off'), connectionKey(null, 'off'))
  assert.equal(connectionKey({}, 'off'), connectionKey({ pin: [], insecure: false }, 'off'))
  assert.equal(
    connectionKey({ ca: 'a', cert: 'b', key: 'c', files }, 'v2'),
    connectionKey({ ca: 'a', cert: 'newer', key: 'newer', files }, 'v2'),
    'what a file holds may change',
  )
})

test('each setting of a connection changes the key', () => {
  const keys = [
    connectionKey(null, 'off'),
    connectionKey(null, 'off', true),
    connectionKey(null, 'v1'),
    connectionKey(null, 'v2'),
    connectionKey({}, 'off'),
    connectionKey({ ca: 'a' }, 'off'),
    connectionKey({ cert: 'a' }, 'off'),
    connectionKey({ cert: 'a', key: 'b' }, 'off'),
    connectionKey({ cert: 'a', key: 'c' }, 'off'),
    connectionKey({ cert: 'a', key: 'b', files }, 'off'),
    connectionKey({ serverName: 'a' }, 'off'),
    connectionKey({ pin: ['a'] }, 'off'),
    connectionKey({ insecure: true }, 'off'),
  ]
  assert.equal(new Set(keys).size, keys.length)
})

test('the key reveals no private key', () => {
  assert.doesNotMatch(connectionKey({ key: 'PRIVATE' }, 'off'), /PRIVATE/)
})
