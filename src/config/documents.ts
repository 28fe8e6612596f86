import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { JsonDocument } from '../core/document.ts'
import { codeOf, messageOf } from '../core/error-facts.ts'
import { whyUnreadable } from '../core/read-text.ts'
import type { Finding } from './issues.ts'
import type { Path } from './problems.ts'
import { ReadFiles } from './read-files.ts'
import type { UncheckedConfig } from './unchecked-config.ts'
import { at, isFields, itemsOf, putAll } from '../core/value.ts'
import type { FilesOption } from '../policies/policy.ts'

/** Maximum size of a document file, in bytes. */
const MAX_SIZE = 16 * 1024 ** 2

/**
 * Replaces paths by file contents where the options of policies may name files. A file that is named several times becomes one shared
 * value. `base` is the configuration file, which the paths are relative to.
 */
export async function readDocuments(
  files: UncheckedConfig,
  base: string,
  noted = new ReadFiles(),
): Promise<UncheckedConfig> {
  const { chain } = files
  const { value } = files
  if (!isFields(value)) return files
  const places = [['policies'], ...itemsOf(value['routes']).map((_, i): Path => ['routes', i, 'policies'])]
  const findings: Finding[] = []
  const read = new Map<string, Promise<JsonDocument>>()
  const held: (readonly [Path, unknown])[] = []
  const note = (path: Path, message: string): void => void findings.push({ path, isKey: false, message })
  const readFiles = filesReader(dirname(base), noted)
  for (const place of places)
    for (const { name, documents = [], files: options = [] } of chain) {
      for (const { path: steps, read: make } of options) {
        const path = [...place, name, ...steps]
        const written = path.reduce<unknown>(at, value)
        if (written === undefined) continue
        try {
          held.push([path, await readFiles(written, make)])
        } catch (error) {
          note(path, messageOf(error))
        }
      }
      for (const steps of documents) {
        const path = [...place, name, ...steps]
        const named = path.reduce<unknown>(at, value)
        if (typeof named !== 'string') continue
        const file = resolve(dirname(base), named)
        noted.note(file)
        const reading = read.get(file) ?? readDocument(file)
        read.set(file, reading)
        try {
          held.push([path, await reading])
        } catch (error) {
          note(path, `${JSON.stringify(named)} ${messageOf(error)}`)
        }
      }
    }
  return { ...files, value: putAll(value, held), findings: [...files.findings, ...findings] }
}

/** A path that is written the same way in several places is read once and becomes one shared value. */
function filesReader(folder: string, noted: ReadFiles) {
  const open = async (path: string): Promise<Buffer | null> => {
    const file = resolve(folder, path)
    noted.note(file)
    const bytes = await readFile(file).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null
      throw new Error(`${JSON.stringify(path)} ${whyUnreadable(error, file)}`, { cause: error })
    })
    if (bytes !== null && bytes.length > MAX_SIZE)
      throw new Error(`${JSON.stringify(path)} cannot be read: it is larger than ${MAX_SIZE} bytes`)
    return bytes
  }
  const made = new Map<string, Promise<unknown>>()
  return (written: unknown, read: FilesOption['read']): Promise<unknown> => {
    const key = JSON.stringify(written)
    const reading = made.get(key) ?? read(written, open)
    made.set(key, reading)
    return reading
  }
}

async function readDocument(file: string): Promise<JsonDocument> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new Error(whyUnreadable(error, file), { cause: error })
  })
  if (bytes.length > MAX_SIZE) throw new Error(`cannot be read: it is larger than ${MAX_SIZE} bytes`)
  // Imported only if a document is named: worker threads never read any.
  const { parse } = await import('yaml')
  let document: unknown
  try {
    document = parse(bytes.toString(), { prettyErrors: true, logLevel: 'error' })
  } catch (error) {
    return fail('is neither JSON nor YAML', error)
  }
  if (!isFields(document)) throw new Error('is not a map')
  return document
}

function fail(what: string, error: unknown): never {
  // The further lines of a multi-line message show the place in the text.
  const [reason] = messageOf(error).split('\n')
  throw new Error(`${what}: ${reason?.replace(/:$/, '')}`, { cause: error })
}
