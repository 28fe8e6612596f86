import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { CommandError, DEFAULT_FILE, UsageError } from './command.ts'
import { keyPlace, withKeys } from './key-place.ts'

/** Revokes an API key in Redis. */
export async function revokeKey(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { config: { type: 'string', short: 'c', default: DEFAULT_FILE } },
  })
  const [id, second] = positionals
  if (id === undefined || second !== undefined) throw new UsageError('keys revoke takes the id of one key.')
  const { configured, redis, cache } = keyPlace(await loadConfig(values.config, process.env))
  if (configured.some((key) => key.id === id))
    throw new CommandError(
      `The API key "${id}" stands in ${values.config}: remove it there, and start the gateway anew.`,
    )
  const count = redis === null ? 0 : await withKeys(redis, (keys) => keys.remove(id))
  if (count === 0) throw new CommandError(`There is no API key "${id}"; keys list shows those that there are.`)
  console.log(`The API key "${id}" is revoked: every gateway refuses it within ${cache / 1000} s.`)
  return 0
}
