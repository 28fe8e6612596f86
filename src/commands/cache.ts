import type { Command } from 'commander'
import { z } from 'zod'
import type { Purge } from '../policies/cache/purge.ts'
import { addExamples, UsageError } from './command.ts'
import {
  addReplicaOptions,
  runOnReplicas,
  type ReplicaCommandOptions,
  replicaResultsSchema,
} from './run-on-replicas.ts'

const answerSchema = replicaResultsSchema.extend({ purged: z.int() })

const expected = 'expected --url URL, --prefix URL, or --host HOST with --group GROUP'

interface Options extends ReplicaCommandOptions {
  readonly url?: string
  readonly prefix?: string
  readonly host?: string
  readonly group?: string
}

/** `sallyport cache`: what a running gateway has stored. */
export function defineCache(command: Command, finish: (code: number) => void): void {
  command.description('Purges stored replies of a running gateway.')
  const purge = command
    .command('purge')
    .summary('forget stored replies')
    .description(
      'Has a running gateway, and all that share its Redis, forget stored replies: one of the three ways says which.',
    )
    .option('--url <url>', 'of this address')
    .option('--prefix <url>', 'whose address begins so')
    .option('--host <host>', 'of this host, with --group')
    .option('--group <group>', 'of this group (RFC 9875), with --host')
  addReplicaOptions(purge).action(async (options: Options) => finish(await purgeReplies(options)))
  addExamples(purge, [
    ['sallyport cache purge --url https://shop.test/books/1', 'one address'],
    ['sallyport cache purge --prefix https://shop.test/books/', 'all below one'],
  ])
}

async function purgeReplies(options: Options): Promise<number> {
  const body = JSON.stringify(purgeOf(options))
  const told = ({ purged }: z.output<typeof answerSchema>): string =>
    `${purged} stored ${purged === 1 ? 'reply' : 'replies'} purged`
  return runOnReplicas(options, { path: '/cache/purge', body }, answerSchema, told)
}

function purgeOf({ url, prefix, host, group }: Options): Purge {
  const ways: Purge[] = []
  if (url !== undefined) ways.push({ url })
  if (prefix !== undefined) ways.push({ prefix })
  if (host !== undefined && group !== undefined) ways.push({ host, group })
  const [way, another] = ways
  const half = (host === undefined) !== (group === undefined)
  if (way === undefined || another !== undefined || half) throw new UsageError(`What to purge? ${expected}.`)
  return way
}
