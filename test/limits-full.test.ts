import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

/** The smallest possible table, and more clients than fit. */
const ENTRIES = 1024
const CLIENTS = 1500

test('a gateway with more clients than its table holds keeps working and logs a warning', async (t) => {
  const clock = new ManualClock()
  const { port, log } = await startGateway(
    t,
    {
      stores: { memory: { entries: ENTRIES } },
      trustedProxies: ['127.0.0.1'],
      policies: { 'rate-limit': { tiers: { unauthenticated: '1/d' } } },
      routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 204 } }],
    },
    { clock, level: 'warn' },
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  cleanUp(t, () => agent.destroy())
  const ask = (i: number) =>
    send(port, { agent, headers: { 'X-Forwarded-For': `10.0.${Math.floor(i / 256)}.${i % 256}` } })
  const replies = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => ask(i)))
  assert.ok(replies.every(({ status }) => status === 204))
  assert.equal((await ask(CLIENTS - 1)).status, 429)
  assert.deepEqual(log.lines, [])
  clock.advance(60_000)
  const [line, second] = log.lines
  assert.equal(second, undefined)
  assert.equal(line?.['entries'], ENTRIES)
  assert.ok(Number(line['evictions']) >= CLIENTS - ENTRIES)
})
