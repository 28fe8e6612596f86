import type { Command } from 'commander'
import { z } from 'zod'
import { alignColumns } from '../config/columns.ts'
import { everywhereShape } from '../core/operation.ts'
import { printable } from '../core/printable.ts'
import { addAdminOptions, type AdminOptions, askAdmin, type Question, refusalOf } from './admin-client.ts'
import { exitCodes } from './exit-codes.ts'

/** How long a gateway may take to answer that asks others, in milliseconds. */
const PATIENCE = 10_000

/** What an answer says of the gateways that share a Redis. */
export const everywhereSchema = z.looseObject(everywhereShape)

type Answer = z.output<typeof everywhereSchema>

/** How the user says where something is to be done, and how to tell of it. */
export interface EverywhereOptions extends AdminOptions {
  readonly json?: true
}

/** Gives a command the options of one that has all gateways do something that share a Redis. */
export function addEverywhereOptions(command: Command): Command {
  return addAdminOptions(command.option('--json', 'print the answer as JSON'))
}

/**
 * Has a running gateway do something, and with it all that share its Redis, and prints what came of it: `told` and each
 * gateway that has answered. Resolves with the exit code: `incomplete` where some may not have done it.
 */
export async function doEverywhere<Own extends Answer>(
  options: EverywhereOptions,
  question: Omit<Question, 'patience'>,
  schema: z.ZodType<Own>,
  told: (answer: Own) => string,
): Promise<number> {
  const reply = await askAdmin(options, { ...question, patience: PATIENCE })
  const { data } = schema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  console.log(options.json === true ? JSON.stringify(data, null, 2) : [told(data), ...gatewaysOf(data)].join('\n'))
  const { replicas, unreached } = data
  if (unreached !== null) console.error(`warning: ${unreached}`)
  return unreached === null && replicas.every(({ problem }) => problem === null) ? exitCodes.done : exitCodes.incomplete
}

/** A line for each, where there is more to tell than that the only one has done it. */
function gatewaysOf({ replicas, unreached }: Answer): string[] {
  if (replicas.length <= 1 && unreached === null) return []
  return [alignColumns(replicas.map(({ name, problem }) => ['', printable(name), printable(problem ?? 'done')]))]
}
