import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import test from 'node:test'
import { DnsServer } from './dns-server.ts'

test('the name resolves to its current addresses, and another one does not resolve', async (t) => {
  const server = await DnsServer.start('service.drill', 2, ['127.0.1.1', '127.0.1.2'])
  t.after(() => server.close())
  const resolver = new Resolver()
  resolver.setServers([`127.0.0.1:${server.port}`])
  assert.deepEqual(await resolver.resolve4('Service.drill', { ttl: true }), [
    { address: '127.0.1.1', ttl: 2 },
    { address: '127.0.1.2', ttl: 2 },
  ])
  server.move(['127.0.1.9'])
  assert.deepEqual(await resolver.resolve4('service.drill'), ['127.0.1.9'])
  await assert.rejects(resolver.resolve6('service.drill'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolve4('other.drill'), { code: 'ENOTFOUND' })
})
