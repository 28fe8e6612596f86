import type { Command } from 'commander'
import { z } from 'zod'
import type { Purge } from '../policies/cache/purge.ts'
import { existsSync } from 'node:fs'
import { loadConfig } from '../config/load.ts'
import { type Address, formatAddress } from '../core/address.ts'
import { CommandError, DEFAULT_FILE, UsageError } from './command.ts'

/** Where the admin listener is unless the configuration or the command says otherwise. */
const ADMIN = 'http://127.0.0.1:9000'

/** How long the gateway may take to answer, in milliseconds. */
const PATIENCE = 10_000

const answerSchema = z.object({ purged: z.int() })

/** Detail of a problem document (RFC 9457). */
const problemSchema = z.object({ detail: z.string() })

const expected = 'expected --url URL, --prefix URL, or --host HOST with --group GROUP'

interface Options {
  readonly url?: string
  readonly prefix?: string
  readonly host?: string
  readonly group?: string
  readonly admin?: string
  readonly config?: string
}

/** `sallyport cache`: what a running gateway has stored. */
export function defineCache(command: Command): void {
  command.description('Has a running gateway forget stored replies.')
  command
    .command('purge')
    .summary('forget stored replies')
    .description('Has a running gateway forget stored replies: one of the three ways says which.')
    .option('--url <url>', 'of this address')
    .option('--prefix <url>', 'whose address begins so')
    .option('--host <host>', 'of this host, with --group')
    .option('--group <group>', 'of this group (RFC 9875), with --host')
    .option(
      '-c, --config <file>',
      `the configuration that names the admin listener (default: ${DEFAULT_FILE}, if there is one)`,
    )
    .option('--admin <url>', 'where the admin listener is, in place of the configuration; ADMIN_TOKEN holds its token')
    .action(purgeReplies)
}

/** Asks the admin listener, with its token. */
async function purgeReplies(options: Options): Promise<void> {
  const what = purgeOf(options)
  const { url, token } = await findAdmin(options)
  const endpoint = URL.parse('/cache/purge', url)
  if (endpoint === null) throw new UsageError(`--admin ${url} is no URL; expected one such as ${ADMIN}.`)
  const purged = await purge(endpoint, what, token)
  console.log(`${purged} stored ${purged === 1 ? 'reply' : 'replies'} purged`)
}

interface AdminPlace {
  readonly url: string
  /** "" for none. */
  readonly token: string
}

/** Where the command says, or the configuration, or the default. Rejects with ConfigError, or CommandError. */
async function findAdmin({ admin, config: named }: Options): Promise<AdminPlace> {
  const token = process.env['ADMIN_TOKEN'] ?? ''
  if (admin !== undefined) return { url: admin, token }
  const file = named ?? DEFAULT_FILE
  if (named === undefined && !existsSync(file)) return { url: ADMIN, token }
  const { admin: listener } = await loadConfig(file, process.env)
  if (listener === false) throw new CommandError(`${file} has no admin listener: say with --admin where one is.`)
  return { url: `http://${formatAddress(reachable(listener.address))}`, token: listener.token ?? token }
}

/** The address that stands for all of the machine is none to connect to. */
function reachable({ host, port }: Address): Address {
  const own = new Map([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ])
  return { host: own.get(host) ?? host, port }
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

async function purge(endpoint: URL, what: Purge, token: string): Promise<number> {
  const headers = { 'Content-Type': 'application/json', ...(token !== '' && { Authorization: `Bearer ${token}` }) }
  const request = { method: 'POST', headers, body: JSON.stringify(what), redirect: 'error' } as const
  const response = await fetch(endpoint, { ...request, signal: AbortSignal.timeout(PATIENCE) }).catch(
    (error: unknown) => {
      throw new CommandError(`${endpoint.origin} does not answer: ${reasonOf(error)}`)
    },
  )
  const body: unknown = await response.json().catch(() => null)
  const { data } = answerSchema.safeParse(body)
  if (response.ok && data !== undefined) return data.purged
  const detail = problemSchema.safeParse(body).data?.detail ?? 'that is no answer of an admin listener.'
  throw new CommandError(`${endpoint.origin} answered ${response.status}: ${detail}`)
}

/** What fetch says of a failure is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
