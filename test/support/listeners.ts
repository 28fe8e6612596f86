import type { TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { GatewayInput } from '../../src/config/gateway-input.ts'
import type { GatewayConfig } from '../../src/config/schema.ts'
import { systemClock } from '../../src/core/clock.ts'
import { prepareAll } from '../../src/core/prepared.ts'
import { TopicHandlers } from '../../src/core/threads.ts'
import { watchFiles } from '../../src/core/watch-files.ts'
import type { Opening } from '../../src/front/listener-sockets.ts'
import { ThreadListeners } from '../../src/front/thread-listeners.ts'
import { Bytes } from '../../src/http/body.ts'
import { Deadlines } from '../../src/http/deadlines.ts'
import { Headers } from '../../src/http/headers.ts'
import { problemReply } from '../../src/http/problem.ts'
import { Reply } from '../../src/http/reply.ts'
import { TrustedProxies } from '../../src/listener/trusted-proxies.ts'
import { AcmeCertificates } from '../../src/runtime/acme.ts'
import { Certificates } from '../../src/runtime/certificates.ts'
import { TicketSeeds } from '../../src/runtime/ticket-seeds.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ThreadMetrics } from '../../src/telemetry/metrics/thread-metrics.ts'
import { cleanUp } from './cleanup.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

export type ListenerInput = NonNullable<GatewayInput['listeners']>[number]

export const LOCAL = '127.0.0.1:0'
const ALONE: Opening = { shared: false, first: true }

/** A configuration with these listeners. */
export function listenersConfig(listeners: readonly ListenerInput[], more: GatewayInput = {}): GatewayConfig {
  const value = { listeners: [...listeners], drainTimeout: '10s', ...more }
  return parseConfig(value, { value, chain: [], findings: [] })
}

/**
 * The listeners of one thread, and the certificates they present, until the end of the test. Each request is answered with its scheme; one
 * for /held waits until the test provides the reply.
 */
export function startListeners(t: TestContext) {
  const clock = new ManualClock(Date.now())
  const { log, lines } = createMemoryLogger()
  const answers = new TopicHandlers(log)
  const metrics = new ThreadMetrics(() => {}, clock)
  const deadlines = new Deadlines(clock)
  const held: ((text: string) => void)[] = []
  const replyOf = (text: string): Reply => new Reply(200, Headers.of([]), Bytes.fromText(text))
  const files = watchFiles({ clock: systemClock, log })
  const config = listenersConfig([{ address: LOCAL }])
  const acme = new AcmeCertificates({ config, answers, threads: answers, clock, random: Math.random, log, metrics })
  const certificates = new Certificates({ config, files, acme, answers, threads: answers, clock, log, metrics })
  certificates.start()
  const seeds = new TicketSeeds(clock, answers)
  const listeners = new ThreadListeners({
    size: 1,
    receiver: {
      handle(exchange, redirect) {
        const elsewhere = redirect?.replyTo(exchange) ?? null
        if (elsewhere !== null) return elsewhere
        if (exchange.refusal !== null) throw exchange.refusal
        if (exchange.path !== '/held') return replyOf(exchange.client.scheme)
        return new Promise((resolve) => void held.push((text) => resolve(replyOf(text))))
      },
      refuse: (error) => problemReply(error, 'id', 'trace'),
      challenge: () => null,
      slow() {},
      refusedArrival() {},
      done() {},
    },
    proxies: new TrustedProxies(['127.0.0.1/32']),
    deadlines,
    metrics,
    log,
    answers,
    threads: answers,
  })
  cleanUp(t, async () => {
    const drained = listeners.drain(0, clock)
    clock.advance(1)
    await drained
    seeds.stop()
    certificates.stop()
    files.close()
    deadlines.close()
  })
  const prepare = async (next: GatewayConfig, opening = ALONE) => {
    let addresses: readonly { readonly port: number }[] = []
    const all = await prepareAll([
      () => certificates.prepare(next),
      async () => {
        const prepared = await listeners.prepare({ config: next, body: next.limits.body }, opening)
        addresses = prepared.addresses
        return prepared
      },
    ])
    return { ports: addresses.map(({ port }) => port), commit: () => all.commit(), abandon: () => all.abandon() }
  }
  return {
    clock,
    listeners,
    lines,
    /** Pending replies. */
    held,
    prepareConfig: prepare,
    /** Prepares these listeners, and returns their future ports. */
    prepare: (each: readonly ListenerInput[], more: GatewayInput = {}, opening = ALONE) =>
      prepare(listenersConfig(each, more), opening),
    /** Switches to these listeners, and returns their ports. */
    apply: async (each: readonly ListenerInput[], more: GatewayInput = {}, opening = ALONE): Promise<number[]> => {
      const { ports, commit } = await prepare(listenersConfig(each, more), opening)
      commit()
      return ports
    },
  }
}
