import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import type { GatewayInput, Rate } from '../src/gateway.ts'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startRedis } from './support/redis.ts'
import { runHere } from './support/run-here.ts'

const KEY = 'the key of a partner'
const SHA256 = createHash('sha256').update(KEY).digest('hex')

interface Limited {
  readonly client: string
  readonly limit: string
  readonly share: number
  readonly limited: boolean
  readonly refused: number
}

const shown = (clients: unknown) =>
  (clients as Limited[]).map(({ client, limit, share, limited, refused }) => [client, limit, share, limited, refused])

const policies: GatewayInput['policies'] = {
  auth: { public: ['/*'], methods: { 'api-key': { keys: [{ id: 'partner', sha256: SHA256 }] } }, failures: '2/m' },
  'rate-limit': { tiers: { unauthenticated: '5/h', api_key: ['10/m', '100/h'] } },
}

const routes: GatewayInput['routes'] = [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }]

async function sendMany(port: number, count: number, headers: Record<string, string> = {}): Promise<void> {
  for (let i = 0; i < count; i++) await send(port, { headers })
}

for (const store of ['memory', 'redis'] as const)
  test(`counted in ${store}, clients above 80% of a limit are listed, those with least left first`, async (t) => {
    const stores = store === 'memory' ? {} : { redis: { url: (await startRedis(t)).url, timeout: '10s' as const } }
    const { port, ask } = await startAdminGateway(t, { stores, policies, routes })
    await sendMany(port, 7, { 'X-API-Key': KEY })
    await sendMany(port, 3)
    assert.deepEqual((await ask('/limits')).json, { clients: [], more: 0 })
    await sendMany(port, 1, { 'X-API-Key': KEY })
    await sendMany(port, 4)
    const { json } = await ask('/limits')
    assert.deepEqual(shown(json['clients']), [
      ['address:127.0.0.1', 'unauthenticated', 1, true, 2],
      ['key:partner', 'api_key', 0.8, false, 0],
    ])
    assert.doesNotMatch(JSON.stringify(json), new RegExp(`${KEY}|${SHA256}`))
    assert.deepEqual(shown((await ask('/limits?above=1')).json['clients']).length, 1)
    assert.deepEqual((await ask('/limits?limit=1')).json['more'], 1)
    assert.equal((await ask('/limits?above=0.5')).status, 400)

    await ask('/limits/key:partner', { method: 'DELETE' })
    assert.deepEqual(shown((await ask('/limits')).json['clients']).length, 1)
  })

test('the list includes clients with too many failed authentications, and drops them with a new window', async (t) => {
  const clock = new ManualClock()
  const { port, ask } = await startAdminGateway(t, { policies, routes }, { clock })
  await sendMany(port, 2, { 'X-API-Key': 'wrong' })
  assert.deepEqual(shown((await ask('/limits')).json['clients']), [['address:127.0.0.1', 'failures', 1, true, 0]])
  clock.advance(61_000)
  assert.deepEqual((await ask('/limits')).json, { clients: [], more: 0 })
})

test('an IPv6 network is one client, and can be reset by its listed name', async (t) => {
  const { port, ask } = await startAdminGateway(t, {
    trustedProxies: ['127.0.0.1'],
    policies: { 'rate-limit': { tiers: { unauthenticated: '2/h' } } },
    routes,
  })
  for (const host of [1, 2, 3]) await sendMany(port, 1, { 'X-Forwarded-For': `2001:db8:0:1::${host}` })
  const [first] = (await ask('/limits')).json['clients'] as Limited[]
  assert.equal(first!.client, 'address:2001:db8:0:1::/64')
  assert.equal((await ask(`/limits/${encodeURIComponent(first!.client)}`, { method: 'DELETE' })).status, 200)
  assert.deepEqual((await ask('/limits')).json, { clients: [], more: 0 })
})

test('a reload keeps the list for limits that stay, and drops removed limits', async (t) => {
  const config = (unauthenticated: Rate): GatewayInput => ({
    listeners: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    policies: { 'rate-limit': { tiers: { unauthenticated } } },
    routes,
  })
  const { gateway, port, ask } = await startAdminGateway(t, config('5/h'))
  await sendMany(port, 4)
  await gateway.reload({ ...config('5/h'), docs: { title: 'Another' } })
  assert.equal(shown((await ask('/limits')).json['clients']).length, 1)
  await gateway.reload(config('7/h'))
  assert.deepEqual((await ask('/limits')).json, { clients: [], more: 0 })
})

test('if there are too many clients to remember, the latest are listed', async (t) => {
  const { port, ask } = await startAdminGateway(t, {
    trustedProxies: ['127.0.0.1'],
    policies: { 'rate-limit': { tiers: { unauthenticated: '1/h' } } },
    routes,
  })
  const addresses = Array.from({ length: 600 }, (_, i) => `10.0.${Math.floor(i / 200)}.${i % 200}`)
  for (const address of addresses) await sendMany(port, 1, { 'X-Forwarded-For': address })
  const { clients } = (await ask('/limits?limit=1000')).json as { clients: Limited[] }
  assert.ok(clients.length >= 256 && clients.length <= 512, String(clients.length))
  assert.ok(clients.some(({ client }) => client === `address:${addresses.at(-1)}`))
})

test('limits list, show and reset print the limits and reset them, and top shows the list', async (t) => {
  const { port, adminPort, ask } = await startAdminGateway(t, {
    policies: { 'rate-limit': { tiers: { unauthenticated: '20/h' } } },
    routes,
  })
  const at = ['--admin', `http://127.0.0.1:${adminPort}`]
  const command = async (...args: string[]) => {
    const { code, stdout, stderr } = await runHere([...args, ...at])
    assert.deepEqual([code, stderr], [0, ''])
    return stdout
  }
  assert.equal(await command('limits', 'list'), 'No client is near a limit.\n')
  await sendMany(port, 25)
  assert.match(
    await command('limits', 'list'),
    /^CLIENT +LIMIT +STATE +USED +REFUSED\naddress:127\.0\.0\.1 +unauthenticated +limited +20 of 20\/h, more in (?:1h|60m) +5\n$/,
  )
  const { clients } = JSON.parse(await command('limits', 'list', '--json')) as { clients: unknown }
  assert.deepEqual(shown(clients), shown((await ask('/limits')).json['clients']))
  assert.match(await command('top'), /\n\nCLIENT .*\naddress:127\.0\.0\.1 .* limited /)
  assert.match(await command('limits', 'show', '127.0.0.1'), /^unauthenticated  20 of 20\/h, more in \S+\n$/)
  assert.equal(
    await command('limits', 'reset', 'address:127.0.0.1'),
    'The rate limits of address:127.0.0.1 were reset.\n',
  )
  assert.equal(await command('limits', 'list'), 'No client is near a limit.\n')
  assert.equal((await send(port, {})).status, 204)
  const wrong = await runHere(['limits', 'list', '--above', '50', ...at])
  assert.equal(wrong.code, 64)
  assert.match(wrong.stderr, /--above: expected a number from 80 to 100/)
})
