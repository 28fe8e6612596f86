import type { Worker } from 'node:worker_threads'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { TopicHandlers, type Topic } from '../core/threads.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'
import { Channel, type ChannelMessage } from './channel.ts'
import { drainedTopic, type Listening, listeningTopic, seriesTopic, type WorkerStart } from './messages.ts'

/** Timeout for a worker's answers, in milliseconds. */
const TIMEOUT = 1_000

/** How a worker ended. */
export interface WorkerEnd {
  /** The uncaught error, or null. */
  readonly error: unknown
  readonly code: number
  /** Whether it had started to listen. */
  readonly listened: boolean
}

export interface RunningWorkerOptions {
  readonly start: WorkerStart
  readonly thread: Worker
  readonly clock: Clock
  readonly log: Logger
  /** Answers the worker's questions to all threads, or to the main thread only. Must not reject. */
  readonly answer: (topic: string, asked: unknown, alone: boolean) => Promise<unknown[]>
  /** Called when it starts or stops counting a metric series. */
  readonly learn: (worker: RunningWorker, series: SeriesChange) => void
  /** Called with the number of connections cut off at the end of its drain. */
  readonly cutOff: (connections: number) => void
}

/** One worker thread from start to end, as seen by the main thread. */
export class RunningWorker {
  /** Rejects if the worker ends first. */
  readonly listening: Promise<Listening>
  readonly ended: Promise<WorkerEnd>
  /** Thread ID within the process. */
  readonly threadId: number
  private readonly thread: Worker
  private readonly channel: Channel
  private exited = false

  constructor({ start, thread, clock, log, answer, learn, cutOff }: RunningWorkerOptions) {
    this.thread = thread
    // Of a thread that has ended, Node.js no longer knows it.
    this.threadId = thread.threadId
    this.thread.postMessage(start)
    const handlers = new TopicHandlers(log)
    this.channel = new Channel({
      send: (message) => this.thread.postMessage(message),
      answer,
      onTell: (topic, what) => void handlers.answer(topic, what),
      clock,
      timeout: TIMEOUT,
    })
    const listening = Promise.withResolvers<Listening>()
    const ended = Promise.withResolvers<WorkerEnd>()
    this.listening = listening.promise
    this.ended = ended.promise
    let listened = false
    let failure: unknown = null
    handlers.on(listeningTopic, (where) => {
      listened = true
      listening.resolve(where)
      return null
    })
    handlers.on(seriesTopic, (series) => {
      learn(this, series)
      return null
    })
    handlers.on(drainedTopic, (connections) => {
      cutOff(connections)
      return null
    })
    this.thread.on('message', (message: ChannelMessage) => this.channel.receive(message))
    this.thread.on('error', (error) => (failure = error))
    this.thread.on('exit', (code) => {
      this.abandonThread()
      ended.resolve({ error: failure, code, listened })
      if (!listened)
        listening.reject(failure instanceof Error ? failure : new Error(`a worker ended with code ${code}`))
    })
  }

  /** Whether it has ended or was abandoned. */
  get hasEnded(): boolean {
    return this.exited
  }

  tell<Message>(topic: Topic<Message, null>, message: Message): void {
    this.channel.tell(topic, message)
  }

  /** Resolves with its answers, or none if they do not arrive within `timeout` milliseconds. */
  ask(topic: string, question: unknown, timeout = TIMEOUT): Promise<unknown[]> {
    return this.channel.ask(topic, question, timeout)
  }

  /** Abandons the worker, because it does not terminate: its answers are no longer awaited. */
  abandonThread(): void {
    this.exited = true
    this.channel.close()
  }

  /** Terminates the thread, whatever it is doing. */
  terminate(): void {
    void this.thread.terminate()
  }
}
