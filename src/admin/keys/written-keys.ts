import { basename } from 'node:path'
import { z } from 'zod'
import { type KeyEntry, keyLines, withKey, withoutKey, withRotatedKey } from '../../config/key-edits.ts'
import { MASK } from '../../config/masked-config.ts'
import { maskedSource } from '../../config/masked-source.ts'
import { patchOf } from '../../console/patch.ts'
import { keyPlace } from '../../policies/auth/api-key/key-place.ts'
import type { AdminContext } from '../context.ts'
import type { Caller } from '../login/caller.ts'
import { textTag } from '../entity-tags.ts'
import { maySend } from '../texts.ts'

/** A change of the configuration: the gateway does not change the keys there by itself. */
export const manualEdit = z.object({
  file: z.string().nullable().describe('Name of the file; null if the configuration has none.'),
  patch: z
    .string()
    .nullable()
    .describe('Patch for the file, for `patch -p1`; null if the file must be changed by hand.'),
  lines: z.string().nullable().describe('Only the lines of the new key; null if there is none.'),
  send: z
    .object({
      text: z.string().describe('The text with the change.'),
      etag: z.string().describe('ETag of the text that it replaces, for If-Match.'),
    })
    .nullable()
    .describe('What to send with PUT /config; null if the caller may not, or if the file must be changed by hand.'),
})

export type ManualEdit = z.output<typeof manualEdit>

/** A SHA-256 digest, as written for a key. */
const DIGEST = /(["']?)([\da-f]{64})\1/gi

/** Describes changes of the keys in the configuration: with the digest of a key, never the key. `caller` is who asks for the change. */
export class WrittenKeys {
  private readonly context: Pick<AdminContext, 'reloads' | 'source'>

  constructor(context: Pick<AdminContext, 'reloads' | 'source'>) {
    this.context = context
  }

  /** Adds a key. */
  add(caller: Caller | null, key: KeyEntry): ManualEdit {
    return this.describe(caller, key.id, (text) => withKey(text, key), key)
  }

  /** Replaces the key of the same ID, which expires at `end`, an ISO 8601 time, or at once for null. */
  rotate(caller: Caller | null, key: KeyEntry, end: string | null): ManualEdit {
    return this.describe(caller, key.id, (text) => withRotatedKey(text, key, end), key)
  }

  /** Removes all keys of that ID, or only the one with that prefix. */
  remove(caller: Caller | null, id: string, prefix?: string): ManualEdit {
    return this.describe(caller, id, (text) => withoutKey(text, id, prefix), null)
  }

  private describe(
    caller: Caller | null,
    id: string,
    change: (text: string) => string | null,
    key: KeyEntry | null,
  ): ManualEdit {
    const { reloads, source } = this.context
    const { text, config } = reloads.applied
    const file = source === null ? null : basename(source.file)
    const changed = text === null ? null : change(text)
    const lines = key === null ? null : keyLines(key)
    const patch =
      text === null || changed === null || file === null ? null : openPatch(file, text, changed, this.digestsOf(id))
    const send =
      text === null || changed === null || file === null || !maySend(config, caller)
        ? null
        : { text: changed, etag: textTag(text) }
    return { file, patch, lines, send }
  }

  /** The digests of the keys with that ID, which the caller may see. */
  private digestsOf(id: string): string[] {
    const { configured } = keyPlace(this.context.reloads.applied.config)
    return configured.flatMap((key) => (key.id === id ? [key.sha256.toLowerCase()] : []))
  }
}

/** The difference of two texts; null if it would contain a secret other than those digests. */
function openPatch(file: string, before: string, after: string, digests: readonly string[]): string | null {
  const masked = maskedSource(before).split('\n')
  const isOpen = (line: string, shown: string): boolean =>
    line.replace(DIGEST, (written, _, digest: string) => (digests.includes(digest.toLowerCase()) ? MASK : written)) ===
    shown
  const shown = before.split('\n').map((line, i) => (isOpen(line, masked[i] ?? '') ? line : (masked[i] ?? '')))
  const patch = patchOf(file, before, after, shown.join('\n'))
  const open = new Set(shown)
  const [, , ...lines] = patch.split('\n')
  const removed = lines.flatMap((line) => (line.startsWith('-') ? [line.slice(1)] : []))
  return removed.every((line) => open.has(line)) ? patch : null
}
