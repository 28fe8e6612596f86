import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { cleanUp } from '../support/cleanup.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { PacedClock } from '../support/paced-clock.ts'
import { holdings, NOTHING, settled, turnUntil } from '../support/settled.ts'
import { type ClientName, clients, type Surroundings } from './clients.ts'
import { makePlan } from './plan.ts'
import { Random } from './random.ts'
import { startMoodyService } from './service.ts'

const MEGABYTE = 1024 * 1024

/**
 * The total number of requests: few enough for about a minute on a busy machine; SOAK_REQUESTS=200000 takes about an
 * hour.
 */
const REQUESTS = Number(process.env['SOAK_REQUESTS'] ?? 2_000)
/** SOAK_SEED repeats a run. */
const SEED = Number(process.env['SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 80

const weights = Object.fromEntries(Object.entries(clients).map(([name, { weight }]) => [name, weight])) as Record<
  ClientName,
  number
>

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of buffers that are still referenced. */
async function buffers(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  // What a socket holds is released a few turns after the socket.
  for (let i = 0; i < 10; i++) {
    await new Promise(setImmediate)
    collectGarbage()
    least = Math.min(least, process.memoryUsage().arrayBuffers)
  }
  return least
}

test('with clients and services of every kind, each reply is correct or a clean failure, and nothing is left behind', async (t) => {
  t.diagnostic(`SOAK_SEED=${SEED} SOAK_REQUESTS=${REQUESTS}`)
  const random = new Random(SEED)
  const clock = new PacedClock()
  cleanUp(t, () => clock.stop())
  const service = await startMoodyService(t)
  const { gateway, port, log } = await startGateway(
    t,
    proxyTo(service.url, {
      limits: { headTimeout: '1s', bodyTimeout: '1s', idleTimeout: '30s', writeTimeout: '1s' },
      service: { timeouts: { response: '2s', idle: '1s' }, pool: { idleTimeout: '1s', queueTimeout: '5s' } },
    }),
    { clock },
  )
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const around: Surroundings = { port, agent, random, tally: new Map() }

  // The first round fills what is kept forever, such as compiled code and pools of the runtime.
  let next = 0
  const run = async (end: number): Promise<void> => {
    while (next < end) {
      const plan = makePlan(next++, random)
      await clients[random.pick(weights)].client(plan, around)
    }
  }
  const round = async (end: number): Promise<number> => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => run(end)))
    agent.destroy()
    await settled(gateway)
    await turnUntil('idle connections to end', () => holdings(gateway).watched === 0)
    log.lines.length = 0
    return buffers()
  }
  const before = await round(REQUESTS / 4)
  const after = await round(REQUESTS)

  t.diagnostic(JSON.stringify(Object.fromEntries([...around.tally].toSorted(([a], [b]) => a.localeCompare(b)))))
  assert.deepEqual(holdings(gateway), NOTHING)
  assert.ok(after - before < 2 * MEGABYTE, `${after - before} bytes of buffers are left`)
  assert.ok((around.tally.get('200') ?? 0) > REQUESTS / 2, 'most requests are answered')
})
