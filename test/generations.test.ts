import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import type { GatewayInput } from '../src/config/gateway-input.ts'
import type { Generation } from '../src/front/generation.ts'
import { Headers } from '../src/http/headers.ts'
import { definePolicy, type Policy } from '../src/policies/policy.ts'
import { callService } from '../src/services/call.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'
import { startThreadBy } from './support/thread.ts'
import { authority, startTlsService } from './support/tls-service.ts'

type ServiceInput = NonNullable<GatewayInput['services']>[string]

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** One thread with successive configurations. */
function startThread(t: TestContext) {
  const forgotten = new Set<string>()
  const thread = startThreadBy(t, new ManualClock(), (change) => {
    for (const { labels } of 'forgotten' in change ? change.forgotten : [])
      forgotten.add(/instance="(.*?)"/.exec(labels)![1]!)
  })
  return {
    ...thread,
    /** Prepares the next generation, which does not answer yet. */
    prepare: (
      services: Readonly<Record<string, ServiceInput>>,
      policies: readonly Policy[] = [],
    ): Promise<Generation> => {
      const routes: GatewayInput['routes'] = [{ id: 'all', match: { path: '/*' }, service: 'backend' }]
      const options = Object.fromEntries(policies.map(({ name }) => [name, {}]))
      return thread.prepare({ services, routes, policies: options }, policies)
    },
    /** Instances that are no longer reported. */
    forgotten,
    ask: async ({ services }: Generation, target = '/'): Promise<string> => {
      const request = { method: 'GET', target, headers: new Headers(), body: null, timeout: 10_000, limit: 1000 }
      return (await callService(services, 'backend', request, thread.clock)).body.toLatin1()
    },
  }
}

function poolIn(generation: Generation, address: string) {
  return generation.pools['backend']?.[address]
}

test('the next generation reuses the connections to instances that stay', async (t) => {
  const [stays, comes] = [await startService(t), await startService(t)]
  const { prepare, ask, gauge } = startThread(t)
  const first = await prepare({ backend: { instances: [stays.url] } })
  await ask(first)
  const second = await prepare({
    backend: { instances: [comes.url, { url: stays.url, weight: 2 }] },
    other: { instances: [stays.url] },
  })
  second.takeOver()
  first.close()
  assert.equal(poolIn(second, stays.address)!.idle, 1)
  assert.equal(poolIn(second, comes.address)!.idle, 0)
  for (let i = 0; i < 6; i++) await ask(second)
  assert.deepEqual([stays.connections, comes.connections], [1, 1])
  assert.equal(second.pools['other']![stays.address]!.idle, 0, 'another service has its own connections')
  assert.deepEqual(
    gauge('sallyport_pool_waiting').map(([labels]) => labels),
    [
      `service="backend",instance="${stays.address}"`,
      `service="backend",instance="${comes.address}"`,
      `service="other",instance="${stays.address}"`,
    ],
    'each is reported once',
  )
})

test('a generation discarded before its first request changes nothing', async (t) => {
  const [stays, never] = [await startService(t), await startService(t)]
  const { prepare, ask, gauge, deadlines } = startThread(t)
  const first = await prepare({ backend: { instances: [stays.url] } })
  await ask(first)
  const unused = await prepare({ backend: { instances: [stays.url, never.url], pool: { connections: 7 } } })
  unused.close()
  assert.equal(poolIn(first, stays.address)!.idle, 1)
  await ask(first)
  assert.equal(stays.connections, 1)
  assert.deepEqual(
    gauge('sallyport_instance_in_flight').map(([labels]) => labels),
    [`service="backend",instance="${stays.address}"`],
  )
  first.close()
  assert.equal(deadlines.size, 0)
  assert.deepEqual(gauge('sallyport_instance_in_flight'), [])
})

test('a generation that fails to compile keeps no resources', async (t) => {
  const [stays, never] = [await startService(t), await startService(t)]
  const { prepare, ask, gauge } = startThread(t)
  const first = await prepare({ backend: { instances: [stays.url] } })
  await ask(first)
  const broken = definePolicy({
    name: 'broken',
    summary: 'Cannot be made.',
    options: z.strictObject({}),
    create: () => assert.fail('must not be created'),
  })
  await assert.rejects(prepare({ backend: { instances: [stays.url, never.url] } }, [broken]), /must not be created/)
  assert.deepEqual(
    gauge('sallyport_instance_in_flight').map(([labels]) => labels),
    [`service="backend",instance="${stays.address}"`],
  )
  assert.equal(poolIn(first, stays.address)!.idle, 1)
})

test('a removed instance ends after the exchanges on it and those waiting for it', async (t) => {
  const service = await startRawService(t)
  const stays = await startService(t)
  const { prepare, ask, gauge, deadlines } = startThread(t)
  const first = await prepare({
    backend: { instances: [`http://127.0.0.1:${service.port}`], pool: { connections: 1 } },
  })
  const pending = [ask(first), ask(first, '/waits')]
  const peer = await service.accept()
  await peer.request()
  const second = await prepare({ backend: { instances: [stays.url] } })
  second.takeOver()
  const address = `127.0.0.1:${service.port}`
  assert.deepEqual(Object.keys(second.pools['backend']!), [stays.address])
  first.close()
  assert.deepEqual(
    gauge('sallyport_instance_in_flight').map(([labels]) => labels),
    [`service="backend",instance="${stays.address}"`],
  )
  assert.equal(poolIn(first, address)!.waiting, 1)
  peer.write(OK)
  assert.equal(await pending[0], 'ok')
  const { start } = await peer.request()
  assert.match(start, /\/waits/)
  peer.write(OK)
  assert.equal(await pending[1], 'ok')
  await peer.closed()
  assert.deepEqual(poolIn(first, address), { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 })
  assert.equal(deadlines.size, 0)
})

test('requests in flight are still counted, and the next balancer takes them into account', async (t) => {
  const [busy, free] = [await startRawService(t), await startService(t)]
  const { prepare, ask, gauge } = startThread(t)
  const address = `127.0.0.1:${busy.port}`
  const first = await prepare({ backend: { instances: [`http://${address}`] } })
  const pending = ask(first)
  const peer: Peer = await busy.accept()
  await peer.request()
  const second = await prepare({
    backend: { instances: [`http://${address}`, free.url], balancer: 'least-requests' },
  })
  second.takeOver()
  for (let i = 0; i < 5; i++) assert.equal(await ask(second), String(free.port))
  const inFlight = () => gauge('sallyport_instance_in_flight').find(([labels]) => labels.includes(address))![1]
  assert.equal(inFlight(), 1)
  first.close()
  assert.equal(poolIn(second, address)!.busy, 1)
  peer.write(OK)
  assert.equal(await pending, 'ok')
  assert.equal(inFlight(), 0)
  assert.equal(poolIn(second, address)!.idle, 1)
})

test('round-robin continues with the next instance', async (t) => {
  const all = [await startService(t), await startService(t), await startService(t)]
  const { prepare, ask } = startThread(t)
  const backend = { instances: all.map(({ url }) => url) }
  const first = await prepare({ backend })
  assert.equal(await ask(first), String(all[0]!.port))
  const second = await prepare({ backend })
  second.takeOver()
  first.close()
  for (const i of [1, 2, 0]) assert.equal(await ask(second), String(all[i]!.port))
  assert.deepEqual(
    all.map(({ connections }) => connections),
    [1, 1, 1],
  )
})

test('limits and timeouts of a pool change in place when the next generation takes over', async (t) => {
  const service = await startRawService(t)
  const address = `127.0.0.1:${service.port}`
  const { prepare, ask, clock } = startThread(t)
  const instances = [`http://${address}`]
  const first = await prepare({ backend: { instances, pool: { connections: 1 } } })
  const pending = [ask(first), ask(first), ask(first)]
  const peers = [await service.accept()]
  const second = await prepare({ backend: { instances, pool: { connections: 2 } } })
  await turnUntil('the first request to be sent', () => poolIn(second, address)!.busy === 1)
  assert.equal(poolIn(second, address)!.waiting, 2, 'not yet')
  second.takeOver()
  assert.equal(poolIn(second, address)!.waiting, 1, 'there may be one more connection')
  peers.push(await service.accept())
  for (const peer of [peers[0]!, peers[1]!, peers[0]!]) {
    await peer.request()
    peer.write(OK)
  }
  await Promise.all(pending)
  await turnUntil('both connections to be idle', () => poolIn(second, address)!.idle === 2)
  const third = await prepare({ backend: { instances, pool: { connections: 1, idleTimeout: '1s' } } })
  third.takeOver()
  assert.equal(poolIn(third, address)!.idle, 1, 'one excess connection is closed')
  clock.advance(1300)
  assert.equal(poolIn(third, address)!.idle, 0, 'the other stays idle no longer than is now allowed')
})

test('with other TLS settings an instance gets new connections', async (t) => {
  const service = await startTlsService(t, { answer: (_, socket) => void socket.write(OK) })
  const { prepare, ask, gauge } = startThread(t)
  const services = (tls: ServiceInput['tls']) => ({ backend: { instances: [service.url], tls } })
  const first = await prepare(services({ ca: authority.cert }))
  await ask(first)
  const same = await prepare(services({ ca: authority.cert }))
  same.takeOver()
  first.close()
  await ask(same)
  assert.equal(service.sockets.length, 1)
  const other = await prepare(services({ ca: authority.cert, serverName: '127.0.0.1' }))
  other.takeOver()
  await ask(other)
  assert.equal(service.sockets.length, 2)
  assert.deepEqual(service.resumed, [false, false], 'no session of the previous one is resumed')
  const idle = () => poolIn(same, service.address)!.idle + poolIn(other, service.address)!.idle
  assert.equal(idle(), 2)
  const inFlight = gauge('sallyport_instance_in_flight').map(([, value]) => value)
  assert.deepEqual(inFlight, [0, 0], 'the counts of both are summed')
  same.close()
  assert.equal(idle(), 1)
  await ask(other)
  assert.equal(service.sockets.length, 2)
})

test('counters of an instance are kept for ten minutes after the last generation that had it', async (t) => {
  const [stays, goes] = [await startService(t), await startService(t)]
  const { clock, forgotten, prepare } = startThread(t)
  const first = await prepare({ backend: { instances: [stays.url, goes.url] } })
  const second = await prepare({ backend: { instances: [stays.url] } })
  second.takeOver()
  clock.advance(600_000)
  first.close()
  clock.advance(599_999)
  assert.deepEqual([...forgotten], [])
  clock.advance(1)
  assert.deepEqual([...forgotten], [goes.address])
})
