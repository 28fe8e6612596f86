import type { Command } from 'commander'
import { addExamples, CommandError, configOption } from './command.ts'
import { withKeysOf } from './managed-keys.ts'

interface Options {
  readonly config: string
  readonly prefix?: string
}

/** `sallyport keys revoke`: revokes an API key in Redis. */
export function defineRevokeKey(command: Command): void {
  command
    .summary('revoke an API key')
    .description('Revokes an API key in Redis: every gateway refuses it.')
    .argument('<id>', 'ID of the key')
    .option(
      '--prefix <prefix>',
      'only the key that starts with this, for example after a rotation (default: all keys of the ID)',
    )
    .addOption(configOption())
    .action(revokeKey)
  addExamples(command, [
    ['sallyport keys revoke partner', 'revoke the key with this ID'],
    ['sallyport keys revoke partner --prefix sp_eaf9c494', 'revoke the old key before it expires'],
  ])
}

async function revokeKey(id: string, { config, prefix }: Options): Promise<void> {
  const cache = await withKeysOf(config, async (keys) => {
    const { store } = await keys.revoke(id, prefix)
    if (store === 'configuration')
      throw new CommandError(`The API key "${id}" is in ${config}: remove it there, and reload the gateway.`)
    return keys.place.cache
  })
  const which = prefix === undefined ? `The API key "${id}"` : `The API key "${id}" that begins with ${prefix}`
  console.log(`${which} is revoked: every gateway refuses it within ${cache / 1000} s.`)
}
