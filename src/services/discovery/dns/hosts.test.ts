import assert from 'node:assert/strict'
import test from 'node:test'
import { addressesIn } from './hosts.ts'

const HOSTS = `127.0.0.1 localhost
::1\tlocalhost ip6-localhost
fe80::1%lo0 localhost
10.0.0.7  Users.internal users # users.old
10.0.0.8 users
not-an-address users
`

test('addresses of a name are found by family', () => {
  assert.deepEqual(addressesIn(HOSTS, 'users', 4), ['10.0.0.7', '10.0.0.8'])
  assert.deepEqual(addressesIn(HOSTS, 'USERS.internal.', 4), ['10.0.0.7'])
  assert.deepEqual(addressesIn(HOSTS, 'localhost', 6), ['::1'])
  assert.deepEqual(addressesIn(HOSTS, 'users.old', 4), [])
})
