import assert from 'node:assert/strict'
import test from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startService } from './support/service.ts'

test('an added instance gets few requests at first, and its full share in the end', async (t) => {
  const [old, added] = [await startService(t), await startService(t)]
  const clock = new ManualClock()
  const service = { slowStart: '30s', balancer: 'round-robin' } as const
  const rest = { listeners: [{ address: '127.0.0.1:0' }], admin: false as const }
  const { port, gateway } = await startGateway(t, { ...proxyTo(old.url, { service }), ...rest }, { clock })
  assert.equal((await send(port)).status, 200)
  await gateway.reload({ ...proxyTo([old.url, added.url], { service }), ...rest })
  const ask = async (): Promise<number> => {
    const before = added.received.length
    for (let i = 0; i < 10; i++) await send(port)
    return added.received.length - before
  }
  // The random number is always one half here, which is more than a tenth.
  assert.equal(await ask(), 0)
  clock.advance(29_000)
  assert.equal(await ask(), 5)
  clock.advance(1_000)
  assert.equal(await ask(), 5)
})
