import { Session } from 'node:inspector'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'

/** How long is waited for a thread to say where it is, in milliseconds. */
const PATIENCE = 3_000
/** Functions of a stack that are told of, the innermost first. */
const FRAMES = 10

/** Under this name a worker's global object has a function that tells what it is running, for its own debugger alone. */
export const RUNNING = 'sallyport.running'

/** Where a thread is. */
export interface Place {
  /** The policy of the user's own whose code is running, and the route it is for; null for the gateway's own code. */
  readonly policy: string | null
  readonly route: string | null
  /** Functions with file and line, the innermost first. Empty where the thread does not run JavaScript. */
  readonly stack: readonly string[]
}

const script = z.object({ scriptId: z.string(), url: z.string() })

const frame = z.object({
  callFrameId: z.string(),
  functionName: z.string(),
  location: z.object({ scriptId: z.string(), lineNumber: z.number(), columnNumber: z.number().default(0) }),
})

const running = z.object({ policy: z.string(), route: z.string() }).nullable()

/** What the debugger of a thread says, as far as it matters here. */
const message = z.union([
  z.object({ method: z.literal('Debugger.scriptParsed'), params: script }),
  z.object({ method: z.literal('Debugger.paused'), params: z.object({ callFrames: z.array(frame).min(1) }) }),
  z.object({ id: z.literal(3), result: z.object({ result: z.object({ value: running.catch(null) }) }) }),
])

/**
 * Stops a worker thread for a moment in whatever it is running, a loop without end too, and tells where that is. It uses
 * V8's debugger within the process, which opens no port. Never rejects.
 */
export function locate(threadId: number, clock: Clock): Promise<Place> {
  const session = new Session()
  session.connect()
  const { promise, resolve } = Promise.withResolvers<Place>()
  const urls = new Map<string, string>()
  let place: Place = { policy: null, route: null, stack: [] }
  const finish = (): void => {
    cancel()
    // Later, as it is called from within a message of the session.
    setImmediate(() => session.disconnect())
    resolve(place)
  }
  const cancel = clock.after(PATIENCE, finish)
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    // Its id is a number of its own.
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
        // One that is paused could not be ended.
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
