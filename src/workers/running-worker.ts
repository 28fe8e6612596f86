import type { Worker } from 'node:worker_threads'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { Answers, type Topic } from '../core/threads.ts'
import type { SeriesChange } from '../telemetry/metrics/thread-metrics.ts'
import { Channel, type ChannelMessage } from './channel.ts'
import { drainedTopic, type Listening, listeningTopic, seriesTopic, type WorkerStart } from './messages.ts'

/** How long a worker may take to answer a question, in milliseconds. */
const PATIENCE = 1_000

/** How a worker came to its end. */
export interface WorkerEnd {
  /** What nobody caught, or null. */
  readonly error: unknown
  readonly code: number
  /** It had begun to listen. */
  readonly listened: boolean
}

export interface RunningWorkerOptions {
  readonly start: WorkerStart
  readonly thread: Worker
  readonly clock: Clock
  readonly log: Logger
  /** Answers what the worker asks all threads, or the main thread alone. Must not reject. */
  readonly answer: (topic: string, asked: unknown, alone: boolean) => Promise<unknown[]>
  /** It begins to count something. */
  readonly learn: (worker: RunningWorker, series: SeriesChange) => void
  /** So many connections were cut off at the end of its drain. */
  readonly cutOff: (connections: number) => void
}

/** One worker thread from its start to its end, as the main thread sees it. */
export class RunningWorker {
  /** Rejects when the worker ends before. */
  readonly listening: Promise<Listening>
  readonly ended: Promise<WorkerEnd>
  private readonly thread: Worker
  private readonly channel: Channel
  private gone = false

  constructor({ start, thread, clock, log, answer, learn, cutOff }: RunningWorkerOptions) {
    this.thread = thread
    this.thread.postMessage(start)
    const told = new Answers(log)
    this.channel = new Channel({
      send: (message) => this.thread.postMessage(message),
      answer,
      hear: (topic, what) => void told.answer(topic, what),
      clock,
      patience: PATIENCE,
    })
    const listening = Promise.withResolvers<Listening>()
    const ended = Promise.withResolvers<WorkerEnd>()
    this.listening = listening.promise
    this.ended = ended.promise
    let listened = false
    let failure: unknown = null
    told.on(listeningTopic, (where) => {
      listened = true
      listening.resolve(where)
      return null
    })
    told.on(seriesTopic, (series) => {
      learn(this, series)
      return null
    })
    told.on(drainedTopic, (connections) => {
      cutOff(connections)
      return null
    })
    this.thread.on('message', (message: ChannelMessage) => this.channel.receive(message))
    this.thread.on('error', (error) => (failure = error))
    this.thread.on('exit', (code) => {
      this.forsake()
      ended.resolve({ error: failure, code, listened })
      if (!listened)
        listening.reject(failure instanceof Error ? failure : new Error(`a worker ended with code ${code}`))
    })
  }

  /** It has ended, or nobody waits for it any more. */
  get isGone(): boolean {
    return this.gone
  }

  /** The number of the thread in the process. */
  get threadId(): number {
    return this.thread.threadId
  }

  tell<Told>(topic: Topic<Told, null>, told: Told): void {
    this.channel.tell(topic, told)
  }

  /** Resolves with its answers, none when it does not answer within so many milliseconds. */
  ask(topic: string, asked: unknown, patience = PATIENCE): Promise<unknown[]> {
    return this.channel.ask(topic, asked, patience)
  }

  /** Nobody waits for its answers any more, as it is not coming to an end. */
  forsake(): void {
    this.gone = true
    this.channel.close()
  }

  /** Ends it, whatever it is at. */
  terminate(): void {
    void this.thread.terminate()
  }
}
