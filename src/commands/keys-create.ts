import type { Command } from 'commander'
import { keyLines } from '../config/key-edits.ts'
import type { StoredApiKey } from '../policies/auth/api-key/api-key-store.ts'
import { entryOf } from '../policies/auth/api-key/key-entry.ts'
import { KEY_TIER, keyRequest } from '../policies/auth/api-key/key-request.ts'
import type { KeyDescription } from '../policies/auth/api-key/key-ring.ts'
import { addExamples, configOption, UsageError } from './command.ts'
import { expiryOf, timeOf, withKeysOf } from './managed-keys.ts'

interface Options {
  readonly config: string
  readonly id: string
  readonly owner?: string
  readonly tier?: string
  readonly roles?: string
  readonly expires?: string
}

/**
 * `sallyport keys create`: makes an API key. Only the key is written to the standard output, once; messages go to the standard error. It is
 * stored in Redis if the configuration looks keys up there; otherwise the lines for the configuration are printed.
 */
export function defineCreateKey(command: Command): void {
  command
    .summary('create an API key')
    .description('Creates an API key, and prints it once.')
    .requiredOption('--id <id>', 'name of the key, in logs and to revoke it')
    .option('--owner <name>', 'consumer that uses it (default: the ID)')
    .option('--tier <tier>', `tier, which decides the limits (default: ${KEY_TIER})`)
    .option('--roles <list>', 'its roles, separated by commas')
    .option('--expires <time>', 'when it expires: 90d, 12h or 2027-01-31 (default: never)')
    .addOption(configOption())
    .action(createKey)
  addExamples(command, [
    ['sallyport keys create --id partner', 'a key that never expires'],
    [
      'sallyport keys create --id partner --tier gold --roles reader,writer --expires 90d',
      'with a tier and roles, for 90 days',
    ],
  ])
}

async function createKey(options: Options): Promise<void> {
  const description = describeKey(options)
  const { made, cache } = await withKeysOf(options.config, async (keys) => ({
    made: await keys.create(description),
    cache: keys.store === 'redis' ? keys.place.cache : null,
  }))
  console.log(made.secret)
  console.error(cache === null ? linesFor(made.key) : madeText(made.key, cache))
}

/** The description of the key, from the options. Throws UsageError. */
function describeKey({ id, owner, tier, roles = '', expires }: Options): KeyDescription {
  const { success, data, error } = keyRequest.safeParse({
    id,
    ...(owner !== undefined && { owner }),
    ...(tier !== undefined && { tier }),
    roles: roles.split(',').flatMap((role) => (role.trim() === '' ? [] : [role.trim()])),
  })
  if (!success)
    throw new UsageError(error.issues.map(({ path, message }) => `--${path[0]?.toString()}: ${message}`).join('\n'))
  return { ...data, owner: data.owner ?? id, expires: expiryOf(expires) ?? null }
}

function madeText({ id, owner, tier, expires }: StoredApiKey, cache: number): string {
  const end = expires === null ? 'no end' : `until ${timeOf(expires)}`
  return (
    `This is the API key "${id}" of ${owner}, tier ${tier}, ${end}. It is shown only this once.\n` +
    `Gateways accept it within ${cache / 1000} s.`
  )
}

function linesFor(key: StoredApiKey): string {
  return (
    `This is the API key "${key.id}". It is shown only this once, and works once the configuration has these lines\n` +
    `and the gateway has reloaded it:\n\n${keyLines(entryOf(key))}`
  )
}
