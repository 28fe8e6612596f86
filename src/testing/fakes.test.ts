import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { fakeApiKeys, fakeExchange } from '../testing.ts'

test('an exchange accepts partial consumers and clients', () => {
  const { client, consumer, method } = fakeExchange({
    consumer: { roles: ['editor'] },
    client: { address: '2001:db8::1' },
  })
  assert.deepEqual(consumer, { id: '42', roles: ['editor'], scopes: [], tier: 'authenticated', key: null, claims: {} })
  assert.deepEqual([client.address, client.scheme, method], ['2001:db8::1', 'http', 'GET'])
  assert.deepEqual([fakeExchange().consumer, fakeExchange({ consumer: null }).consumer], [null, null])
})

test('only known keys are found by their digests', async () => {
  const keys = fakeApiKeys({ 'one-secret': { owner: 'partner', roles: ['admin'] }, 'two-secret': {} })
  const one = await keys.find(hash('sha256', 'one-secret'))
  assert.deepEqual([one?.id, one?.owner, one?.tier, one?.roles], ['key-1', 'partner', 'api_key', ['admin']])
  assert.equal((await keys.find(hash('sha256', 'two-secret')))?.owner, 'key-2')
  assert.equal(await keys.find(hash('sha256', 'three-secret')), null)
})
