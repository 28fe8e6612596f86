/** A worker thread: a complete front on the ports that it shares with the other workers. */
import { parentPort } from 'node:worker_threads'
import type { LoadedCode } from '../config/loaded-code.ts'
import { loadChain } from '../config/load-policies.ts'
import type { GatewayConfig } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import { messageOf } from '../core/error-facts.ts'
import { TopicHandlers } from '../core/threads.ts'
import { Front } from '../front/front.ts'
import type { FrontOptions } from '../front/front-options.ts'
import type { Sockets } from '../front/listener-sockets.ts'
import { exchangeTopic, prepareTopic } from '../front/next-generation.ts'
import { version } from '../core/version.ts'
import { HealthBoard } from '../services/health/board.ts'
import { ProcessStores } from '../policies/process-stores.ts'
import { answerLogSettings } from '../telemetry/log-settings.ts'
import { createLogger, reopenLog } from '../telemetry/logger.ts'
import { startTracing, type Tracing } from '../telemetry/tracing.ts'
import { runningPolicy } from '../policies/guard.ts'
import type { Policy } from '../policies/policy.ts'
import { copyThose } from './copy-sockets.ts'
import { beat } from './heartbeats.ts'
import { Channel, type ChannelMessage } from './channel.ts'
import { RUNNING } from './locate.ts'
import { survivePolicies } from './survive-policies.ts'
import { tidyHeap } from './tidy-heap.ts'
import {
  becomeReadyTopic,
  drainedTopic,
  drainTopic,
  listeningTopic,
  retireTopic,
  seriesTopic,
  type WorkerStart,
} from './messages.ts'

/** Longer than the main thread waits for the workers, in milliseconds. */
const TIMEOUT = 2_000

const port = parentPort
if (port === null) throw new Error('this file is for worker threads')
/** The main thread. */
const main = port

port.once('message', (start: WorkerStart) => void run(start))

/** Listens, then follows the instructions of the main thread until told to stop. An error ends the thread. */
async function run(start: WorkerStart): Promise<void> {
  const { worker, addresses, first, sockets, ready, beats } = start
  const { log, ownPolicies, workerTimeout } = start.config
  beat(beats, worker, workerTimeout, systemClock)
  Reflect.set(globalThis, Symbol.for(RUNNING), runningPolicy)
  const copies = copyThose([...addresses.keys()], sockets, addresses)
  // The rejection is handled where the result is awaited.
  copies.catch(() => {})
  const output = createLogger({ ...log, clock: systemClock })
  const answers = new TopicHandlers(output.log)
  // Registered before the front exists: otherwise changes during the start would be lost.
  answerLogSettings(answers, output)
  answers.on(reopenLog, () => {
    output.reopen()
    return null
  })
  const channel = new Channel({
    send: (message) => main.postMessage(message),
    answer: (topic, asked) => answers.answer(topic, asked),
    onTell: (topic, message) => void answers.answer(topic, message),
    clock: systemClock,
    timeout: TIMEOUT,
  })
  let surviving = false
  const load = (files: GatewayConfig['ownPolicies'], code: LoadedCode): ReturnType<typeof loadChain> => {
    if (files.length > 0 && !surviving) survivePolicies(output.log)
    surviving ||= files.length > 0
    return loadChain(files, code)
  }
  const loading = [
    load(ownPolicies, start.modules),
    startTracing(process.env, version, output.log, systemClock),
  ] as const
  const starting = Promise.all(loading).then(frontOf(start, channel, { output, answers }))
  const listening = Promise.all([starting, copies]).then(([front]) => {
    process.once('exit', () => front.cutOff())
    tidyHeap()
    if (ready) front.becomeReady()
    return front.listen({ addresses, shared: true, first, sockets: () => copies })
  })
  answers.on(prepareTopic, async (next) => {
    try {
      const front = await starting
      const configured = next.config.listeners.map(({ address }) => address)
      const inherited: Sockets = (places) => copyThose(places, next.inherited, configured)
      return {
        addresses: await front.prepareNext(next, load(next.config.ownPolicies, next.modules), inherited),
        problem: null,
      }
    } catch (error) {
      return { addresses: null, problem: messageOf(error) }
    }
  })
  answers.on(exchangeTopic, async (change) => {
    const front = await starting
    return front.exchange(change)
  })
  answers.on(becomeReadyTopic, async () => {
    const front = await starting
    front.becomeReady()
    return null
  })
  answers.on(retireTopic, async (left) => {
    const front = await starting
    front.retire(left)
    return null
  })
  answers.on(drainTopic, async ({ timeout, gracePeriod }) => {
    // A listener that is not open yet could not be closed.
    await listening
    const front = await starting
    const cutOff = await front.drain(timeout, gracePeriod)
    await output.close()
    channel.tell(drainedTopic, cutOff)
    main.close()
    const [, tracing] = await Promise.all(loading)
    if (tracing.gaveUp) process.exit()
    return null
  })
  main.on('message', (message: ChannelMessage) => channel.receive(message))
  channel.tell(listeningTopic, { addresses: await listening, descriptors: (await starting).descriptors })
}

/** Creates the front. A separate function, so that nothing keeps the initial configuration in memory. */
function frontOf(
  { config, generation, worker, size, board, slots, discovered, stores, sampleKey }: WorkerStart,
  channel: Channel,
  parts: Pick<FrontOptions, 'output' | 'answers'>,
): (loaded: readonly [policies: readonly Policy[], tracing: Tracing]) => Promise<Front> {
  return ([policies, tracing]) =>
    Front.build({
      ...parts,
      threads: channel,
      config,
      generation,
      policies,
      board: new HealthBoard(board, worker),
      slots,
      discovered,
      processStores: new ProcessStores(stores),
      announce: (series) => channel.tell(seriesTopic, series),
      tracing,
      size,
      clock: systemClock,
      random: Math.random,
      sampleKey,
      worker,
    })
}
