/** A worker thread: a front of its own on the ports that it shares with the other workers. */
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../core/clock.ts'
import { Front } from '../front/front.ts'
import { HealthBoard } from '../services/health/board.ts'
import { SharedTable } from '../stores/memory/table.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('this file is for worker threads')

port.once('message', (start: WorkerStart) => void run(start))

/** Listens, then does what the supervisor says until it says that it is over. What fails ends the thread. */
async function run({ config, board, slots, limits, addresses }: WorkerStart): Promise<void> {
  const output = createLogger({ ...config.log, clock: systemClock })
  const front = new Front({
    config,
    board: new HealthBoard(board),
    slots,
    limits: new SharedTable(limits),
    output,
    clock: systemClock,
    random: Math.random,
  })
  port!.on('message', (message: ToWorker) => {
    if (message.type === 'ready') front.becomeReady()
    if (message.type === 'drain') void drain(message.timeout)
  })
  tell({ type: 'listening', addresses: await front.listen(addresses, true) })

  async function drain(timeout: number): Promise<void> {
    const cutOff = await front.drain(timeout)
    await output.close()
    tell({ type: 'drained', cutOff })
    port!.close()
  }
}

function tell(message: FromWorker): void {
  port!.postMessage(message)
}
