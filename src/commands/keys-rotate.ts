import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { isModule } from '../config/is-module.ts'
import { keyLines, withRotatedKey } from '../config/key-edits.ts'
import { patchOf } from '../console/patch.ts'
import { entryOf } from '../policies/auth/api-key/key-entry.ts'
import { rotation } from '../policies/auth/api-key/key-request.ts'
import type { Rotated } from '../policies/auth/api-key/managed-keys.ts'
import { addExamples, configOption, UsageError } from './command.ts'
import { expiryOf, timeOf, withKeysOf } from './managed-keys.ts'

interface Options {
  readonly config: string
  readonly overlap: string
  readonly expires?: string
}

/**
 * `sallyport keys rotate`: makes a new key to replace an existing one, which stays valid for a while. Only the new key is written to the
 * standard output, once. For a key in the configuration, the change of the file is written to the standard error.
 */
export function defineRotateKey(command: Command): void {
  command
    .summary('replace an API key')
    .description(
      'Creates an API key that replaces an existing one, and prints it once. The old key keeps working for a while.',
    )
    .argument('<id>', 'ID of the key')
    .option('--overlap <time>', 'how long the old key keeps working: 30m, 12h, 7d, or 0s to revoke it at once', '24h')
    .option('--expires <time>', 'when the new key expires: 90d, 12h or 2027-01-31 (default: like the old one)')
    .addOption(configOption())
    .action(rotateKey)
  addExamples(command, [
    ['sallyport keys rotate partner --overlap 7d', 'a new key; the old one expires in a week'],
    ['sallyport keys rotate partner --overlap 0s', 'replace a key that has leaked'],
  ])
}

async function rotateKey(id: string, { config: file, overlap: written, expires }: Options): Promise<void> {
  const { success, data, error } = rotation.safeParse({ overlap: written })
  if (!success) throw new UsageError(`--overlap: ${error.issues[0]?.message}`)
  const { overlap } = data
  const end = expiryOf(expires)
  const { rotated, cache } = await withKeysOf(file, async (keys) => ({
    rotated: await keys.rotate(id, overlap, end),
    cache: keys.place.cache,
  }))
  console.log(rotated.secret)
  console.error(rotated.store === 'redis' ? doneText(rotated, cache) : await changeText(file, rotated, overlap))
}

function doneText({ key: { id }, old }: Rotated, cache: number): string {
  return (
    `This is the new API key "${id}". It is shown only this once.\n` +
    `The old one, ${old.prefix ?? ''}…, works until ${timeOf(old.expires)}; gateways know that within ${cache / 1000} s.`
  )
}

async function changeText(file: string, { key, old }: Rotated, overlap: number): Promise<string> {
  const begin =
    `This is the new API key "${key.id}". It is shown only this once, and works once ${basename(file)} is changed\n` +
    `and the gateway has reloaded it.`
  const end = timeOf(old.expires)
  const text = isModule(file) ? null : await readFile(file, 'utf8')
  const changed = text === null ? null : withRotatedKey(text, entryOf(key), overlap === 0 ? null : end)
  if (text !== null && changed !== null) return `${begin} The change:\n\n${patchOf(basename(file), text, changed)}`
  const then = overlap === 0 ? 'remove the old one' : `add expires: ${end} to the old one`
  return `${begin} Put these lines in front of the old key, and ${then}:\n\n${keyLines(entryOf(key))}`
}
