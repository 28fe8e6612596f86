import type { Command } from 'commander'
import { stringify } from 'yaml'
import { z } from 'zod'
import { loadConfig } from '../config/load.ts'
import { keyExpiry } from '../policies/auth/api-key/key-expiry.ts'
import { newApiKey } from '../policies/auth/api-key/new-api-key.ts'
import type { StoredApiKey } from '../policies/auth/api-key/api-key-store.ts'
import type { RedisConfig } from '../redis/client.ts'
import { addExamples, CommandError, configOption, UsageError } from './command.ts'
import { keyPlace, withKeys } from './key-place.ts'

const TIER = 'api_key'
const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24 }
const HOUR = 3_600_000

const expiryExpected = 'expected a time such as "90d" or "12h", or a date such as "2027-01-31", in the future'

const text = z
  .string()
  .regex(/^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u, 'expected visible characters')
  .max(128)

const schema = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible ASCII characters'),
  owner: text.optional(),
  tier: text.default(TIER),
  roles: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((role) => (role.trim() === '' ? [] : [role.trim()])))
    .pipe(text.array()),
  expires: z.string().optional(),
})

interface Options {
  readonly config: string
}

/**
 * `sallyport keys create`: makes an API key. The key alone goes to the standard output, once; what is said of it goes to the standard error. It is
 * kept in Redis where the configuration looks keys up there; else the lines for the configuration are printed.
 */
export function defineCreateKey(command: Command): void {
  command
    .summary('make an API key')
    .description('Creates an API key, and prints it once.')
    .requiredOption('--id <id>', 'its name, in logs and to revoke it')
    .option('--owner <name>', 'who calls with it (default: the id)')
    .option('--tier <tier>', `which limits apply (default: ${TIER})`)
    .option('--roles <list>', 'its roles, separated by commas')
    .option('--expires <time>', 'when it expires: 90d, 12h or 2027-01-31 (default: never)')
    .addOption(configOption())
    .action(createKey)
  addExamples(command, [
    ['sallyport keys create --id partner', 'a key that never ends'],
    [
      'sallyport keys create --id partner --tier gold --roles reader,writer --expires 90d',
      'with a tier and roles, for 90 days',
    ],
  ])
}

async function createKey(options: Options): Promise<void> {
  const key = describeKey(options, Date.now())
  const config = await loadConfig(options.config, process.env)
  const { configured, redis, cache } = keyPlace(config)
  if (configured.some(({ id }) => id === key.id))
    throw new CommandError(`The configuration has an API key "${key.id}" already: choose another id.`)
  const { secret, ...made } = newApiKey()
  const stored: StoredApiKey = { ...key, ...made }
  if (redis !== null) await keep(redis, stored)
  console.log(secret)
  console.error(redis === null ? linesFor(stored) : madeText(stored, cache))
}

/** What the key is to be, from the options; `now` is wall-clock milliseconds. Throws UsageError. */
function describeKey(values: object, now: number): Omit<StoredApiKey, 'sha256' | 'prefix'> {
  const { success, data, error } = schema.safeParse(values)
  if (!success)
    throw new UsageError(error.issues.map(({ path, message }) => `--${path[0]?.toString()}: ${message}`).join('\n'))
  const { id, owner = id, tier, roles, expires } = data
  return { id, owner, tier, roles, created: now, expires: expires === undefined ? null : parseExpiry(expires, now) }
}

function parseExpiry(written: string, now: number): number {
  const [, number, unit = ''] = /^(\d{1,5})([hd])$/.exec(written) ?? []
  const expires =
    number === undefined ? (keyExpiry.safeParse(written).data ?? 0) : now + Number(number) * (HOURS[unit] ?? 0) * HOUR
  if (expires <= now) throw new UsageError(`--expires: ${expiryExpected}`)
  return expires
}

async function keep(redis: RedisConfig, key: StoredApiKey): Promise<void> {
  await withKeys(redis, async (keys) => {
    if ((await keys.list()).some(({ id }) => id === key.id))
      throw new CommandError(`There is an API key "${key.id}" already: revoke it first, or choose another id.`)
    await keys.add(key)
  })
}

function madeText({ id, owner, tier, expires }: StoredApiKey, cache: number): string {
  const end = expires === null ? 'no end' : `until ${new Date(expires).toISOString()}`
  return (
    `This is the API key "${id}" of ${owner}, tier ${tier}, ${end}. It is shown only this once.\n` +
    `Gateways know it within ${cache / 1000} s.`
  )
}

function linesFor({ id, sha256, owner, tier, roles, expires }: StoredApiKey): string {
  const key = {
    id,
    sha256,
    ...(owner !== id && { owner }),
    ...(tier !== TIER && { tier }),
    ...(roles.length > 0 && { roles }),
    ...(expires !== null && { expires: new Date(expires).toISOString() }),
  }
  const lines = stringify({ policies: { auth: { methods: { 'api-key': { keys: [key] } } } } })
  return (
    `This is the API key "${id}". It is shown only this once, and works once the configuration has these lines\n` +
    `and the gateway is started with it:\n\n${lines}`
  )
}
