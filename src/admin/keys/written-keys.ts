import { basename } from 'node:path'
import { z } from 'zod'
import { type KeyEntry, keyLines, withKey, withoutKey, withRotatedKey } from '../../config/key-edits.ts'
import { MASK } from '../../config/masked-config.ts'
import { maskedSource } from '../../config/masked-source.ts'
import { patchOf } from '../../console/patch.ts'
import { keyPlace } from '../../policies/auth/api-key/key-place.ts'
import type { AdminContext } from '../context.ts'

/** What is to be changed by hand, as keys of the configuration are. */
export const manualEdit = z.object({
  file: z.string().nullable().describe('Name of the file; null if the configuration has none.'),
  patch: z
    .string()
    .nullable()
    .describe('Patch for the file, for `patch -p1`; null if the file must be changed by hand.'),
  lines: z.string().nullable().describe('Only the lines of the new key; null if there is none.'),
})

export type ManualEdit = z.output<typeof manualEdit>

/** A SHA-256 digest, as keys are written with. */
const DIGEST = /(["']?)([\da-f]{64})\1/gi

/** Writes changes of the keys that stand in the configuration, for somebody to make: the digest of a key, never the key. */
export class WrittenKeys {
  private readonly context: Pick<AdminContext, 'reloads' | 'source'>

  constructor(context: Pick<AdminContext, 'reloads' | 'source'>) {
    this.context = context
  }

  /** Another key. */
  add(key: KeyEntry): ManualEdit {
    return this.describe(key.id, (text) => withKey(text, key), key)
  }

  /** Another key in place of the one of its id, which ends at `end`, an ISO 8601 time, or at once for null. */
  rotate(key: KeyEntry, end: string | null): ManualEdit {
    return this.describe(key.id, (text) => withRotatedKey(text, key, end), key)
  }

  /** None of that id any more, or of those with that prefix. */
  remove(id: string, prefix?: string): ManualEdit {
    return this.describe(id, (text) => withoutKey(text, id, prefix), null)
  }

  private describe(id: string, change: (text: string) => string | null, key: KeyEntry | null): ManualEdit {
    const { reloads, source } = this.context
    const { text } = reloads.applied
    const file = source === null ? null : basename(source.file)
    const changed = text === null ? null : change(text)
    const lines = key === null ? null : keyLines(key)
    const patch =
      text === null || changed === null || file === null ? null : openPatch(file, text, changed, this.digestsOf(id))
    return { file, patch, lines }
  }

  /** What keys of that id are written with, which whoever changes them gets to see. */
  private digestsOf(id: string): string[] {
    const { configured } = keyPlace(this.context.reloads.applied.config)
    return configured.flatMap((key) => (key.id === id ? [key.sha256.toLowerCase()] : []))
  }
}

/** The difference of two texts, where no secret stands in it but those digests; null where one does. */
function openPatch(file: string, before: string, after: string, digests: readonly string[]): string | null {
  const masked = maskedSource(before).split('\n')
  const isOpen = (line: string, shown: string): boolean =>
    line.replace(DIGEST, (written, _, digest: string) => (digests.includes(digest.toLowerCase()) ? MASK : written)) ===
    shown
  const shown = before.split('\n').map((line, i) => (isOpen(line, masked[i] ?? '') ? line : (masked[i] ?? '')))
  const patch = patchOf(file, before, after, shown.join('\n'))
  const open = new Set(shown)
  const [, , ...lines] = patch.split('\n')
  const gone = lines.flatMap((line) => (line.startsWith('-') ? [line.slice(1)] : []))
  return gone.every((line) => open.has(line)) ? patch : null
}
