import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Purge } from '../policies/cache/purge.ts'
import { CommandError, UsageError } from './command.ts'

/** Where the admin listener is unless the configuration or the command says otherwise. */
const ADMIN = 'http://127.0.0.1:9000'

/** How long the gateway may take to answer, in milliseconds. */
const PATIENCE = 10_000

const answerSchema = z.object({ purged: z.int() })

/** Detail of a problem document (RFC 9457). */
const problemSchema = z.object({ detail: z.string() })

const expected = 'expected cache purge with --url URL, with --prefix URL, or with --host HOST and --group GROUP'

/** Has a running gateway forget stored replies: asks its admin listener, with the token of ADMIN_TOKEN where it is set. */
export async function cache([name = '', ...args]: string[]): Promise<number> {
  if (name !== 'purge') throw new UsageError(`Unknown command "cache ${name}"; ${expected}.`)
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args,
    options: { url: text, prefix: text, host: text, group: text, admin: { ...text, default: ADMIN } },
  })
  const endpoint = URL.parse('/cache/purge', values.admin)
  if (endpoint === null) throw new UsageError(`--admin ${values.admin} is no URL; expected one such as ${ADMIN}.`)
  const purged = await purge(endpoint, purgeOf(values), process.env['ADMIN_TOKEN'] ?? '')
  console.log(`${purged} stored ${purged === 1 ? 'reply' : 'replies'} purged`)
  return 0
}

function purgeOf({ url, prefix, host, group }: Readonly<Record<string, string | undefined>>): Purge {
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
