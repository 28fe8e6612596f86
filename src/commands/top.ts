import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { z } from 'zod'
import { addAdminOptions, type AdminOptions, requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples } from './command.ts'
import { limitedSchema } from './limits-text.ts'
import { countsIn, type Sample, servicesSchema, statusSchema, topView } from './top-view.ts'

/** The timeout of the request to the gateway, in milliseconds. */
const TIMEOUT = 10_000

/** The refresh interval in milliseconds. */
const INTERVAL = 1000

/** Moves to the upper left corner and erases everything below (ECMA-48 sections 8.3.21 and 8.3.39). */
const CLEAR = '\x1b[H\x1b[J'

/** `sallyport top`: shows the activity of a running gateway. */
export function defineTop(command: Command): void {
  command.description(
    'Shows the state of a running gateway, every second until Control-C: its workers, the endpoints with the most requests, the clients near ' +
      'their limits, and the instances. Prints it once if standard output is not a terminal.',
  )
  addAdminOptions(command).action(showTop)
  addExamples(command, [
    ['sallyport top', 'the gateway whose admin listener is in sallyport.yaml'],
    ['sallyport top --admin http://127.0.0.1:9001', 'another gateway'],
  ])
}

async function showTop(options: AdminOptions): Promise<void> {
  for (let before = await sample(options); ;) {
    await pause(INTERVAL)
    const now = await sample(options)
    const view = topView(before, now)
    before = now
    if (!process.stdout.isTTY) return console.log(view)
    process.stdout.write(`${CLEAR}${fitted(view)}\n`)
  }
}

/** As much of the view as fits the current size of the terminal; all of it if the size is unknown. */
function fitted(view: string): string {
  const { rows, columns } = process.stdout
  const lines = rows > 0 ? view.split('\n').slice(0, rows - 1) : view.split('\n')
  return lines.map((line) => (columns > 0 ? line.slice(0, columns) : line)).join('\n')
}

async function sample(options: AdminOptions): Promise<Sample> {
  const [status, { services }, { clients }, metrics] = await Promise.all([
    read(options, '/status', statusSchema),
    read(options, '/services', servicesSchema),
    read(options, '/limits?limit=10', limitedSchema),
    requestAdmin(options, { method: 'GET', path: '/metrics', isText: true, timeout: TIMEOUT }),
  ])
  if (metrics.status !== 200) throw refusalOf(metrics)
  return { status, services, limited: clients, endpoints: countsIn(String(metrics.body)), time: performance.now() }
}

async function read<Answer>(options: AdminOptions, path: string, schema: z.ZodType<Answer>): Promise<Answer> {
  const reply = await requestAdmin(options, { method: 'GET', path, timeout: TIMEOUT })
  const { data } = schema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  return data
}
