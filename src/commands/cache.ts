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
    .summary('purge stored replies')
    .description(
      'Purges stored replies of a running gateway and of all gateways that share its Redis: by URL, by URL prefix, or by host and group.',
    )
    .option('--url <url>', 'replies for this URL')
    .option('--prefix <url>', 'replies for all URLs that begin with this')
    .option('--host <host>', 'host of the group')
    .option('--group <group>', 'cache group (RFC 9875)')
  addReplicaOptions(purge).action(async (options: Options) => finish(await purgeReplies(options)))
  addExamples(purge, [
    ['sallyport cache purge --url https://shop.test/books/1', 'one URL'],
    ['sallyport cache purge --prefix https://shop.test/books/', 'everything below a path'],
  ])
}

async function purgeReplies(options: Options): Promise<number> {
  const body = JSON.stringify(purgeOf(options))
  const resultText = ({ purged }: z.output<typeof answerSchema>): string =>
    `${purged} stored ${purged === 1 ? 'reply' : 'replies'} purged`
  return runOnReplicas(options, { path: '/cache/purge', body }, answerSchema, resultText)
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
