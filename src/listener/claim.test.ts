import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claim, explained } from './claim.ts'

const address = { host: '192.0.2.1', port: 80 }

test('an address that no interface has is refused with what to do', async () => {
  // Reserved for documentation (RFC 5737).
  await assert.rejects(claim(address), {
    code: 'EADDRNOTAVAIL',
    message: 'address not available: 192.0.2.1:80: this machine has no interface with that address; change listeners',
  })
})

test('a port that needs a privilege is refused with what to do', () => {
  const cause = Object.assign(new Error('listen EACCES: permission denied 192.0.2.1:80'), { code: 'EACCES' })
  const { message } = explained(address, cause)
  assert.equal(
    message,
    'no permission to listen: 192.0.2.1:80: ports below 1024 need CAP_NET_BIND_SERVICE; grant it, or use a higher port',
  )
})

test('other errors stay as they are', () => {
  const error = Object.assign(new Error('listen EMFILE'), { code: 'EMFILE' })
  assert.equal(explained(address, error), error)
})
