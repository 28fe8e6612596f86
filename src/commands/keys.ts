import type { Command } from 'commander'
import { defineCreateKey } from './keys-create.ts'
import { defineListKeys } from './keys-list.ts'
import { defineRevokeKey } from './keys-revoke.ts'

/** `sallyport keys`: makes, lists and revokes API keys. */
export function defineKeys(command: Command): void {
  command.description('Creates, lists and revokes API keys, in Redis or for the configuration.')
  defineCreateKey(command.command('create'))
  defineListKeys(command.command('list'))
  defineRevokeKey(command.command('revoke'))
}
