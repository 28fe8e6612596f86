import { Session } from 'node:inspector'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'

/** Timeout for a thread to report its location, in milliseconds. */
const TIMEOUT = 3_000
/** Maximum number of stack frames to report, innermost first. */
const FRAMES = 10

/**
 * Name of a function on a worker's global object that returns what it is running; used by the debugger session of the same process only.
 */
export const RUNNING = 'sallyport.running'

/** What a thread is executing. */
export interface Place {
  /** The custom policy whose code is running, and its route; null for the gateway's own code. */
  readonly policy: string | null
  readonly route: string | null
  /** Functions with file and line, innermost first. Empty if the thread is not running JavaScript. */
  readonly stack: readonly string[]
}

const script = z.object({ scriptId: z.string(), url: z.string() })

const frame = z.object({
  callFrameId: z.string(),
  functionName: z.string(),
  location: z.object({ scriptId: z.string(), lineNumber: z.number(), columnNumber: z.number().default(0) }),
})

const running = z.object({ policy: z.string(), route: z.string() }).nullable()

/** The relevant part of a thread's debugger messages. */
const message = z.union([
  z.object({ method: z.literal('Debugger.scriptParsed'), params: script }),
  z.object({ method: z.literal('Debugger.paused'), params: z.object({ callFrames: z.array(frame).min(1) }) }),
  z.object({ id: z.literal(3), result: z.object({ result: z.object({ value: running.catch(null) }) }) }),
])

/**
 * Briefly interrupts a worker thread, even in an infinite loop, and returns what it is executing. Uses V8's in-process debugger, which
 * opens no port. Never rejects.
 */
export function locate(threadId: number, clock: Clock): Promise<Place> {
  const session = new Session()
  session.connect()
  const { promise, resolve } = Promise.withResolvers<Place>()
  const urls = new Map<string, string>()
  let place: Place = { policy: null, route: null, stack: [] }
  const finish = (): void => {
    cancel()
    // Deferred, as this may be called while the session is dispatching a message.
    setImmediate(() => session.disconnect())
    resolve(place)
  }
  const cancel = clock.after(TIMEOUT, finish)
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    // The debugger's worker ID is unrelated to the thread ID.
    if (!workerInfo.title.startsWith(`[worker ${threadId}]`)) return
    const post = (id: number, method: string, params: object = {}): void => {
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) })
    }
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId !== sessionId) return
      const { data } = message.safeParse(JSON.parse(params.message))
      if (data === undefined) return
      if ('id' in data) {
        place = { ...place, ...data.result.result.value }
        // A paused thread could not be terminated.
        post(4, 'Debugger.disable')
        return finish()
      }
      if (data.method === 'Debugger.scriptParsed') return void urls.set(data.params.scriptId, data.params.url)
      const { callFrames } = data.params
      place = { ...place, stack: callFrames.slice(0, FRAMES).map((each) => describe(each, urls)) }
      const expression = `globalThis[Symbol.for('${RUNNING}')]?.()`
      post(3, 'Debugger.evaluateOnCallFrame', {
        callFrameId: callFrames[0]?.callFrameId,
        expression,
        returnByValue: true,
      })
    })
    post(1, 'Debugger.enable')
    post(2, 'Debugger.pause')
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  return promise
}

function describe({ functionName, location }: z.output<typeof frame>, urls: ReadonlyMap<string, string>): string {
  const { scriptId, lineNumber, columnNumber } = location
  return `${functionName || '(anonymous)'} (${urls.get(scriptId) ?? ''}:${lineNumber + 1}:${columnNumber + 1})`
}
