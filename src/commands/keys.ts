import type { Command } from 'commander'
import { defineCreateKey } from './keys-create.ts'
import { defineListKeys } from './keys-list.ts'
import { defineRevokeKey } from './keys-revoke.ts'
import { defineRotateKey } from './keys-rotate.ts'

/** `sallyport keys`: makes, lists, rotates and revokes API keys. */
export function defineKeys(command: Command): void {
  command.description('Creates, lists, rotates and revokes API keys, in Redis or for the configuration.')
  defineCreateKey(command.command('create'))
  defineListKeys(command.command('list'))
  defineRotateKey(command.command('rotate'))
  defineRevokeKey(command.command('revoke'))
}
