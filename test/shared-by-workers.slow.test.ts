import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import test from 'node:test'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

test('two workers share what they know of services, and act once', async (t) => {
  const held: ServerResponse[] = []
  const limited = await startService(t, (_, response) => void held.push(response))
  const instances = [
    await startService(t),
    await startService(t),
    await startService(t, (_, response) => void response.writeHead(503).end()),
  ]
  const cdn = await startService(t)
  const { port, ask } = await startAdminGateway(
    t,
    {
      workers: 2,
      log: { access: false, level: 'error' },
      services: {
        limited: { instances: [limited.url], health: false, concurrency: 3 },
        sick: { instances: instances.map(({ url }) => url), health: false, balancer: 'round-robin' },
      },
      policies: { cache: {}, cdn: { purge: [{ url: `${cdn.url}/purge/{host}{path}` }] } },
      routes: [
        { id: 'limited', match: { path: '/limited' }, service: 'limited' },
        { id: 'sick', match: { path: '/sick' }, service: 'sick' },
      ],
    },
    { workers: true },
  )

  await t.test('a limit of concurrent requests is that of both', async () => {
    const statuses: number[] = []
    const answers = Array.from(
      { length: 40 },
      async () => void statuses.push((await send(port, { path: '/limited' })).status),
    )
    await turnUntil('the others to be shed', () => statuses.length + held.length === 40)
    // Two simultaneous requests for the last slot may both be shed.
    assert.ok(held.length === 3 || held.length === 2, String(held.length))
    const shed = statuses.length
    for (const response of held) response.end()
    await Promise.all(answers)
    assert.deepEqual(
      [statuses.slice(0, shed), statuses.slice(shed)],
      [Array.from({ length: shed }, () => 503), held.map(() => 200)],
    )
  })

  await t.test('both know at once that an instance was ejected', async () => {
    // Each over its own connection, so that both workers have some.
    for (let i = 0; i < 90; i++) await send(port, { method: 'POST', path: '/sick' })
    const failed = instances[2]!.received.length
    assert.ok(failed >= 5 && failed <= 8, `${failed} failed`)
  })

  await t.test('a purge by an operator is sent to the CDN once', async () => {
    for (const [path, count] of [
      ['/a', 1],
      ['/b', 2],
    ] as const) {
      const json = { url: `http://shop.example${path}` }
      assert.equal((await ask('/cache/purge', { method: 'POST', json })).status, 200)
      await turnUntil('the purge', () => cdn.received.length >= count)
    }
    assert.deepEqual(
      cdn.received.map(({ url }) => url),
      ['/purge/shop.example/a', '/purge/shop.example/b'],
    )
  })
})
