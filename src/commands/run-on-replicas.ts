import type { Command } from 'commander'
import { z } from 'zod'
import { alignColumns } from '../config/columns.ts'
import { replicasShape } from '../core/operation.ts'
import { printable } from '../core/printable.ts'
import { addAdminOptions, type AdminOptions, requestAdmin, type AdminRequest, refusalOf } from './admin-client.ts'
import { exitCodes } from './exit-codes.ts'

/** The timeout for a gateway that has to ask others, in milliseconds. */
const TIMEOUT = 10_000

/** The part of a reply about the gateways that share a Redis. */
export const replicaResultsSchema = z.looseObject(replicasShape)

type Answer = z.output<typeof replicaResultsSchema>

/** Where an action is to be performed, and how to report it. */
export interface ReplicaCommandOptions extends AdminOptions {
  readonly json?: true
}

/** Adds the options of a command that acts on all gateways that share a Redis. */
export function addReplicaOptions(command: Command): Command {
  return addAdminOptions(command.option('--json', 'print the answer as JSON'))
}

/**
 * Performs an action on a running gateway and all that share its Redis, and prints the result: `textOf` and each gateway that has answered.
 * Resolves with the exit code: `incomplete` if some gateways may not have performed it.
 */
export async function runOnReplicas<Own extends Answer>(
  options: ReplicaCommandOptions,
  question: Omit<AdminRequest, 'timeout'>,
  schema: z.ZodType<Own>,
  textOf: (answer: Own) => string,
): Promise<number> {
  const reply = await requestAdmin(options, { ...question, timeout: TIMEOUT })
  const { data } = schema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  console.log(options.json === true ? JSON.stringify(data, null, 2) : [textOf(data), ...gatewaysOf(data)].join('\n'))
  const { replicas, unreached } = data
  if (unreached !== null) console.error(`warning: ${unreached}`)
  return unreached === null && replicas.every(({ problem }) => problem === null) ? exitCodes.done : exitCodes.incomplete
}

/** One line for each gateway, unless only one was involved. */
function gatewaysOf({ replicas, unreached }: Answer): string[] {
  if (replicas.length <= 1 && unreached === null) return []
  return [alignColumns(replicas.map(({ name, problem }) => ['', printable(name), printable(problem ?? 'done')]))]
}
