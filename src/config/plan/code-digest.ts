import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

/** Relative specifiers of import and export declarations, import() and require(). */
const SPECIFIER = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g

/**
 * A digest of a file of code and of the files that it imports by relative paths, wherever the folder lies that they are
 * in. Packages, and paths that are put together while the code runs, are left out.
 */
export function digestCode(file: string): string {
  const texts = new Map<string, string>()
  collect(resolve(file), texts)
  const parts = [...texts].map(([path, text]) => [relative(dirname(file), path), text])
  return hash('sha256', JSON.stringify(parts.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))))
}

function collect(file: string, texts: Map<string, string>): void {
  if (texts.has(file)) return
  const text = readText(file)
  if (text === null) return
  texts.set(file, text)
  for (const [, , specifier = ''] of text.matchAll(SPECIFIER)) collect(resolve(dirname(file), specifier), texts)
}

/** Null for what is no file, as in a comment. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
