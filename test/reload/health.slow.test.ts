import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test from 'node:test'
import { requestAdmin } from '../support/admin.ts'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { scrape } from '../support/metrics.ts'
import { startService } from '../support/service.ts'
import { turnUntil } from '../support/settled.ts'

/** Sends that many requests one after another. */
async function sendAll(port: number, path: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assert.equal((await send(port, { path })).status, 200)
}

test('all workers use added instances and not drained ones, and the sum of their counters never decreases', async (t) => {
  const [stays, drained, added] = [await startService(t), await startService(t), await startService(t)]
  const yaml = (...instances: string[]): string => `
workers: 2
admin: { address: '127.0.0.1:0' }
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
services: { users: { instances: ${JSON.stringify(instances)}, health: { path: /health, interval: 1h } } }
routes: [{ id: users, match: { path: /users/* }, service: users }]
`
  const file = await temporaryFile(t, 'sallyport.yaml', yaml(stays.url, drained.url))
  const { command, port, adminPort } = await startCommand(t, file)
  await turnUntil('health', async () => (await requestAdmin(adminPort, '/health')).json['status'] === 'healthy')
  /** A reply may arrive before its worker has counted it; never more than were sent. */
  const countedUpTo = async (requests: number): Promise<void> => {
    let counted = 0
    while (counted < requests) {
      const next = (await scrape(port)).sum('sallyport_instance_requests_total')
      assert.ok(next >= counted, `${next} are counted after ${counted}`)
      counted = next
    }
    assert.equal(counted, requests)
  }
  await requestAdmin(adminPort, `/services/users/instances/${drained.address}/drain`, { method: 'PUT' })
  await sendAll(port, '/users/1', 16)
  await writeFile(file, yaml(added.url, drained.url, stays.url))
  command.child.kill('SIGHUP')
  await command.line('Configuration applied')
  await sendAll(port, '/users/1', 16)
  await countedUpTo(32)
  assert.equal(drained.received.length, 0)
  assert.ok(added.received.length >= 4, 'of two workers, each sends every other request there')
  await writeFile(file, yaml(added.url))
  command.child.kill('SIGHUP')
  await command.lines('Configuration applied', 2)
  await sendAll(port, '/users/1', 16)
  await countedUpTo(48)
  const told = (await scrape(port)).all('sallyport_instance_healthy').map(({ labels }) => labels['instance'])
  assert.deepEqual(told, [added.address])
})
