import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { addExamples, CommandError, configOption } from './command.ts'
import { keyPlace, withKeys } from './key-place.ts'

interface Options {
  readonly config: string
}

/** `sallyport keys revoke`: revokes an API key in Redis. */
export function defineRevokeKey(command: Command): void {
  command
    .summary('end an API key')
    .description('Revokes an API key in Redis: every gateway refuses it.')
    .argument('<id>', 'id of the key')
    .addOption(configOption())
    .action(revokeKey)
  addExamples(command, [['sallyport keys revoke partner', 'end the key with this id']])
}

async function revokeKey(id: string, { config }: Options): Promise<void> {
  const { configured, redis, cache } = keyPlace(await loadConfig(config, process.env))
  if (configured.some((key) => key.id === id))
    throw new CommandError(`The API key "${id}" stands in ${config}: remove it there, and start the gateway anew.`)
  const count = redis === null ? 0 : await withKeys(redis, (keys) => keys.remove(id))
  if (count === 0) throw new CommandError(`There is no API key "${id}"; "sallyport keys list" shows all of them.`)
  console.log(`The API key "${id}" is revoked: every gateway refuses it within ${cache / 1000} s.`)
}
