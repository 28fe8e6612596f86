import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { codeOf } from './error-facts.ts'

/** Stands for the content of anything that is not a regular file, such as a folder or a pipe, which is never read. */
const NO_FILE = 'no file'

/** A digest of the file's content, or the reason why the file cannot be read. */
export function fileDigestSync(path: string): string {
  try {
    return statSync(path).isFile() ? digestOf(readFileSync(path)) : NO_FILE
  } catch (error) {
    return reasonOf(error)
  }
}

/** Asynchronous version of `fileDigestSync`; does not block the thread. */
export async function fileDigest(path: string): Promise<string> {
  try {
    return (await stat(path)).isFile() ? digestOf(await readFile(path)) : NO_FILE
  } catch (error) {
    return reasonOf(error)
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64')
}

/** For a file that cannot be read, the reason stands for its content. */
function reasonOf(error: unknown): string {
  return codeOf(error) || 'unreadable'
}
