import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { ACK, FrameParser, PREFACE, settings, SETTINGS_ACK, Type } from '../../test/support/http2-frames.ts'
import { floods } from '../../test/support/http2-floods.ts'

/** The outcome of a flood. */
const endingSchema = z.object({
  /** Milliseconds from its first byte to the GOAWAY, or to the end of the connection; null if neither happened in time. */
  after: z.number().nullable(),
  rounds: z.number(),
})

type Ending = z.output<typeof endingSchema>

const orderSchema = z.object({ port: z.number(), name: z.string(), most: z.number() })

/** Maximum number of bytes buffered in this process. */
const AHEAD = 1024 * 1024

/**
 * Floods the gateway over one connection in that way, as fast as it accepts data, for at most that many milliseconds: in a separate thread.
 */
export async function attack(port: number, name: string, most: number): Promise<Ending> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { port, name, most } })
  return endingSchema.parse((await once(thread, 'message'))[0])
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(await perform(orderSchema.parse(workerData)))

async function perform({ port, name, most }: z.output<typeof orderSchema>): Promise<Ending> {
  const how = floods[name]
  if (how === undefined) throw new Error(`there is no flood ${name}`)
  const { begin, round } = how
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const parser = new FrameParser()
  let start = 0
  const ending: Ending = { after: null, rounds: 0 }
  const over = (): void => void (ending.after ??= performance.now() - start)
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  socket.on('data', (bytes: Buffer) => {
    parser.push(bytes)
    for (const { type, flags } of parser.frames.splice(0)) {
      if (type === Type.goaway) over()
      if (type === Type.settings && (flags & ACK) !== 0) resolve()
    }
  })
  socket.on('error', over)
  socket.on('close', over)
  await once(socket, 'connect')
  socket.write(Buffer.concat([PREFACE, settings(), SETTINGS_ACK]))
  await ready
  start = performance.now()
  if (begin !== undefined) socket.write(begin)
  while (ending.after === null && performance.now() - start < most) {
    for (let n = 0; n < 50 && socket.writableLength < AHEAD; n++) socket.write(round(ending.rounds++))
    await turn()
  }
  socket.destroy()
  return ending
}
