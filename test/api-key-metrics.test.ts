import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'

test('requests are counted by the id of their key, expired keys included, and unknown keys get no series of their own', async (t) => {
  const keys = [
    { id: 'partner', sha256: hash('sha256', 'one') },
    { id: 'ended', sha256: hash('sha256', 'two'), expires: '2020-01-01' },
    { id: 'unused', sha256: hash('sha256', 'three') },
  ]
  const { port } = await startGateway(t, {
    policies: { auth: { methods: { 'api-key': { keys } } } },
    routes: [
      { id: 'all', match: { path: '/*' }, reply: { body: 'ok' } },
      {
        id: 'admins',
        match: { path: '/admins' },
        reply: { body: 'ok' },
        policies: { auth: { require: { roles: ['admin'] } } },
      },
    ],
  })
  const statusOf = async (key: string, path = '/') => (await send(port, { path, headers: { 'X-API-Key': key } })).status
  assert.deepEqual([await statusOf('one'), await statusOf('one', '/admins'), await statusOf('two')], [200, 403, 401])
  for (const key of ['unknown', 'partner', hash('sha256', 'one')]) assert.equal(await statusOf(key), 401)
  const counted = (await scrape(port)).all('sallyport_api_key_requests_total')
  assert.deepEqual(Object.fromEntries(counted.map(({ labels, value }) => [labels['key'], value])), {
    partner: 2,
    ended: 1,
    unused: 0,
  })
})
