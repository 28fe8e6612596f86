import type { Command } from 'commander'
import { z } from 'zod'
import { alignColumns } from '../config/columns.ts'
import { printable } from '../core/printable.ts'
import { addAdminOptions, type AdminOptions, requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples, UsageError } from './command.ts'
import {
  addReplicaOptions,
  runOnReplicas,
  type ReplicaCommandOptions,
  replicaResultsSchema,
} from './run-on-replicas.ts'
import { limitedSchema, limitedText, quotaSchema, quotaText } from './limits-text.ts'

/** The timeout of the request to the gateway, in milliseconds. */
const TIMEOUT = 10_000

const standingSchema = z.object({
  limits: z
    .object({ name: z.string(), store: z.string(), algorithm: z.string(), quotas: quotaSchema.array().nullable() })
    .array(),
})

interface ListOptions extends AdminOptions {
  readonly above: string
  readonly json?: true
}

/** `sallyport limits`: shows the clients near their rate limits, and resets them. */
export function defineLimits(command: Command, finish: (code: number) => void): void {
  command.description('Shows clients near or over their rate limits, and resets their limits.')
  const list = command
    .command('list')
    .summary('show clients near or over their limits')
    .description('Shows the clients near or over their rate limits, those with the least left first.')
    .option('--above <percent>', 'minimum percentage of a quota that is used up, 80 to 100', '80')
    .option('--json', 'print them as JSON')
  addAdminOptions(list).action(listLimited)
  addExamples(list, [
    ['sallyport limits list', 'clients that have used up 80% of a limit'],
    ['sallyport limits list --above 100 --json', 'clients that have nothing left, as JSON'],
  ])
  const show = command
    .command('show')
    .summary('show what a client has used')
    .description('Shows how much of each limit a client has used.')
    .argument('<client>', CLIENT)
    .option('--json', 'print it as JSON')
  addAdminOptions(show).action(showClient)
  addExamples(show, [['sallyport limits show user:42', 'a user by its ID']])
  const reset = command
    .command('reset')
    .summary('reset the limits of a client')
    .description('Resets all rate limits of a client. Applies to all gateways that share a Redis.')
    .argument('<client>', CLIENT)
  addReplicaOptions(reset).action(async (client: string, options: ReplicaCommandOptions) => {
    const question = { path: pathOf(client), method: 'DELETE' } as const
    const resultText = (): string => `The rate limits of ${printable(client)} were reset.`
    finish(await runOnReplicas(options, question, replicaResultsSchema, resultText))
  })
  addExamples(reset, [['sallyport limits reset key:partner', 'an API key by its ID']])
}

const CLIENT = 'user:42, key:partner, address:192.0.2.1 or 192.0.2.1'

async function listLimited(options: ListOptions): Promise<void> {
  const percent = /^\d{2,3}$/.test(options.above) ? Number(options.above) : NaN
  if (!(percent >= 80 && percent <= 100))
    throw new UsageError(`--above: expected a number from 80 to 100, not ${JSON.stringify(options.above)}`)
  const reply = await requestAdmin(options, { method: 'GET', path: `/limits?above=${percent / 100}`, timeout: TIMEOUT })
  const { data } = limitedSchema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  if (options.json === true) return console.log(JSON.stringify(data, null, 2))
  console.log(data.clients.length === 0 ? 'No client is near a limit.' : limitedText(data.clients))
  if (data.more > 0) console.log(`and ${data.more} more`)
}

async function showClient(client: string, options: ReplicaCommandOptions): Promise<void> {
  const reply = await requestAdmin(options, { method: 'GET', path: pathOf(client), timeout: TIMEOUT })
  const { data } = standingSchema.safeParse(reply.body)
  if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
  if (options.json === true) return console.log(JSON.stringify(data, null, 2))
  const rows = data.limits.flatMap(({ name, quotas }) =>
    (quotas ?? [null]).map((quota) => [printable(name), quota === null ? 'Redis does not answer' : quotaText(quota)]),
  )
  console.log(rows.length === 0 ? `${printable(client)} has used nothing.` : alignColumns(rows))
}

function pathOf(client: string): string {
  return `/limits/${encodeURIComponent(client)}`
}
