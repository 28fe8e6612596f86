import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Relative specifiers of import and export declarations, import() and require(). */
const SPECIFIER = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(["'])(\.{1,2}\/[^"'\n]+)\1/g

/** The folder of the gateway's own code, which only changes when the process is restarted. */
const OWN = fileURLToPath(new URL('..', import.meta.url))

/** A code file with everything it imports. */
export interface Code {
  /** Digest of the contents; it does not depend on where the containing folder is. */
  readonly digest: string
  /** Absolute paths, including those of files that do not exist. */
  readonly files: readonly string[]
}

/** A code file and everything it imports by relative paths. Packages, and paths that are computed at run time, are left out. */
export function codeOf(file: string): Code {
  const texts = new Map<string, string | null>()
  collect(resolve(file), texts)
  const parts = [...texts].flatMap(([path, text]) => (text === null ? [] : [[relative(dirname(file), path), text]]))
  const digest = hash('sha256', JSON.stringify(parts.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))))
  return { digest, files: [...texts.keys()] }
}

/** Whether the file is part of the gateway. */
export function isOwnCode(file: string): boolean {
  return file.startsWith(OWN.endsWith(sep) ? OWN : OWN + sep)
}

function collect(file: string, texts: Map<string, string | null>): void {
  if (texts.has(file) || isOwnCode(file)) return
  const text = readText(file)
  texts.set(file, text)
  for (const specifier of specifiersOf(text ?? '')) collect(resolve(dirname(file), specifier), texts)
}

/** The relative paths that code imports, as far as they are written literally. */
export function specifiersOf(text: string): string[] {
  return Array.from(text.matchAll(SPECIFIER), ([, , specifier = '']) => specifier)
}

/** Null if there is no such file, e.g. for a path in a comment. */
function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
