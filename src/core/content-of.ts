import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { codeOf } from './error-facts.ts'

/** The content of a folder, or of a pipe, which nobody waits for. */
const NO_FILE = 'no file'

/** What a file holds, as a digest; for one that cannot be read, why. */
export function contentNow(path: string): string {
  try {
    return statSync(path).isFile() ? digestOf(readFileSync(path)) : NO_FILE
  } catch (error) {
    return reasonOf(error)
  }
}

/** The same, without holding up the thread. */
export async function contentOf(path: string): Promise<string> {
  try {
    return (await stat(path)).isFile() ? digestOf(await readFile(path)) : NO_FILE
  } catch (error) {
    return reasonOf(error)
  }
}

function digestOf(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64')
}

/** A file that cannot be read has a content too: why. */
function reasonOf(error: unknown): string {
  return codeOf(error) || 'unreadable'
}
