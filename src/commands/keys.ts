import { type Command, UsageError } from './command.ts'
import { createKey } from './keys-create.ts'
import { listKeys } from './keys-list.ts'
import { revokeKey } from './keys-revoke.ts'

const commands = new Map<string, Command>([
  ['create', createKey],
  ['list', listKeys],
  ['revoke', revokeKey],
])

/** Makes, lists and revokes API keys. */
export function keys([name = '', ...args]: string[]): Promise<number> {
  const command = commands.get(name)
  if (command !== undefined) return command(args)
  throw new UsageError(`Unknown command "keys ${name}"; expected keys ${[...commands.keys()].join(', keys ')}.`)
}
