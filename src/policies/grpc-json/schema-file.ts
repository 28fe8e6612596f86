import { dirname } from 'node:path'
import { fieldOf, isFields, itemsOf } from '../../core/value.ts'
import type { OpenFile } from '../policy.ts'
import { compileSources, encodeSet, readSet } from './descriptors.ts'
import { readSources } from './proto/sources.ts'
import type { ServiceSchema } from './service-schema.ts'
import { messageOf } from '../../core/error-facts.ts'

/** Where imports are looked for unless folders are configured: beside the configuration file. */
const HERE = '.'

/**
 * Reads the files of a schema: a descriptor set, or .proto files with everything they import. A value of any other form is left
 * unchanged. Rejects with an Error that says what is wrong in which file.
 */
export async function readSchema(written: unknown, open: OpenFile): Promise<unknown> {
  const files =
    typeof written === 'string' ? [written] : textsOf(Array.isArray(written) ? written : fieldOf(written, 'files'))
  if (files === null || files.length === 0) return written
  const folders = isFields(written) ? textsOf(written['folders'] ?? []) : []
  if (folders === null) return written
  const sources = files.filter((file) => file.endsWith('.proto'))
  if (sources.length === 0 && files.length === 1) return ofSet(files[0] ?? '', open)
  if (sources.length < files.length)
    throw new Error('names several files that are not all .proto files; expected .proto files, or one descriptor set')
  return ofSources(
    sources,
    folders.length > 0 ? folders : [HERE, ...new Set(sources.map((file) => dirname(file)))],
    open,
  )
}

async function ofSet(file: string, open: OpenFile): Promise<ServiceSchema> {
  const bytes = await open(file)
  if (bytes === null) throw new Error(`${JSON.stringify(file)} cannot be read: there is no such file`)
  try {
    const set = readSet(bytes)
    const services = set.file.flatMap((each) => each.service.map(({ name }) => joined(each.package, name)))
    return { descriptors: encodeSet(set), services }
  } catch (error) {
    throw new Error(`${JSON.stringify(file)} ${messageOf(error)}`, { cause: error })
  }
}

async function ofSources(files: readonly string[], folders: readonly string[], open: OpenFile): Promise<ServiceSchema> {
  const sources = await readSources(files, folders, open)
  const set = compileSources(sources)
  const services = sources.files
    .filter(({ name }) => sources.named.has(name))
    .flatMap((file) => file.service.map(({ name }) => joined(file.package ?? '', name)))
  return { descriptors: encodeSet(set), services }
}

function textsOf(value: unknown): string[] | null {
  if (!Array.isArray(value)) return null
  const texts = itemsOf(value).filter((item): item is string => typeof item === 'string' && item !== '')
  return texts.length === value.length ? texts : null
}

function joined(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}
