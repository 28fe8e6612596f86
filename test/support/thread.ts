import type { TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { readPolicies } from '../../src/config/load-policies.ts'
import type { GatewayInput } from '../../src/config/gateway-input.ts'
import type { Clock } from '../../src/core/clock.ts'
import { Generation } from '../../src/front/generation.ts'
import { collect } from '../../src/http/body.ts'
import { Headers, headersFromWire } from '../../src/http/headers.ts'
import { internalExchange } from '../../src/http/internal-exchange.ts'
import { errorReply } from '../../src/http/problem.ts'
import type { Reply } from '../../src/http/reply.ts'
import type { ServerExchange } from '../../src/http/server-exchange.ts'
import { ForwardedClient } from '../../src/listener/trusted-proxies.ts'
import type { Policy } from '../../src/policies/policy.ts'
import { SlotRegistry } from '../../src/services/health/slots.ts'
import type { SeriesChange } from '../../src/telemetry/metrics/thread-metrics.ts'
import { cleanUp } from './cleanup.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { addressesOf, threadTools } from './thread-tools.ts'

/** A request to a generation, and the address that it comes from. */
export interface TestRequest {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string
}

/** The reply. */
export interface TestReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** One thread without listeners, in which one configuration follows another, until the end of the test. */
export function startThread(t: TestContext) {
  return startThreadBy(t, new ManualClock())
}

/** The same with another clock; `announce` is called with series. */
export function startThreadBy<Time extends Clock>(
  t: TestContext,
  clock: Time,
  announce?: (change: SeriesChange) => void,
) {
  const tools = threadTools(clock, 64, announce)
  const { metrics, deadlines, threads: answers } = tools
  tools.processStores.replies?.watch(metrics)
  const registry = new SlotRegistry(tools.board, clock)
  const generations: Generation[] = []
  cleanUp(t, () => {
    for (const generation of generations) generation.close()
    deadlines.close()
  })
  return {
    clock,
    deadlines,
    answers,
    /** Creates the next generation, which does not answer requests yet. */
    prepare: async (input: GatewayInput, policies: readonly Policy[] = []): Promise<Generation> => {
      const value = { endpoints: { docs: false as const, openapi: false as const }, ...input }
      const loaded = await readPolicies({ ...value, ownPolicies: policies }, 'sallyport.yaml')
      const config = parseConfig(value, loaded)
      const allotted = registry.prepare(addressesOf(config.services), { state: 'unknown', gracePeriod: 0 })
      allotted.commit()
      const { slots } = allotted
      const made = await Generation.build(
        { config, policies: loaded.chain, slots, discovered: {} },
        tools,
        generations.at(-1) ?? null,
      )
      generations.push(made)
      return made
    },
    /** The values of that metric in a scrape. */
    gauge: (name: string): readonly (readonly [labels: string, value: number])[] =>
      metrics
        .read({ exemplars: false })
        .readings.filter((reading) => reading.name === name)
        .map(({ labels, value }) => [labels, value] as const),
    /** Handles a request like one received from a connection. */
    ask: async (generation: Generation, request: TestRequest = {}): Promise<TestReply> => {
      const { method = 'GET', target = '/', headers = {}, address = '192.0.2.1' } = request
      const exchange = internalExchange({
        method,
        target,
        host: 'example.com',
        headers: Headers.of(Object.entries(headers)),
        client: new ForwardedClient(address, 'http', address, null),
        start: clock.now(),
      })
      exchange.target = target
      const reply = await answerOf(generation, exchange)
      const text = (await collect(reply.body, 1_000_000, address)).toText()
      return { status: reply.status, headers: Object.fromEntries(headersFromWire(reply.headers.toWire())), text }
    },
  }
}

async function answerOf(generation: Generation, exchange: ServerExchange): Promise<Reply> {
  try {
    return await generation.handle(exchange)
  } catch (error) {
    return errorReply(error, exchange)
  }
}
