import { messageOf } from '../core/error-facts.ts'
import { dirname, resolve } from 'node:path'
import type { Policy } from '../policies/policy.ts'
import { policies } from '../policies/index.ts'
import { guardPolicy } from '../policies/guard.ts'
import { withAbsoluteCertificates } from './certificate-files.ts'
import { codeOf } from './code-digest.ts'
import { readDocuments } from './documents.ts'
import { LISTENER_FILES } from './file-places.ts'
import { goBy } from './fresh-modules.ts'
import { importDefault, importEntry } from './import-module.ts'
import { findFolders } from './folders.ts'
import type { Finding } from './issues.ts'
import { type LoadedCode, NO_CODE } from './loaded-code.ts'
import type { PolicyFile } from './policy-file-schema.ts'
import type { Path } from './problems.ts'
import { networkFilePlaces, withAbsoluteNetworkFiles, withAbsoluteStateDir } from './network-files.ts'
import { matching } from './option-places.ts'
import { readPemFiles } from './pem-files.ts'
import { ReadFiles } from './read-files.ts'
import { hint } from './suggest.ts'
import type { Unparsed } from './unparsed.ts'
import { at, fieldOf, isFields, itemsOf } from '../core/value.ts'

/**
 * Loads the policies of a configuration before it is parsed, because its schema depends on them, along with the documents that their
 * options name, certificates and keys. Entries that the schema will refuse are left to it. `base` is the configuration file; `given` are
 * policies passed as values; files are recorded in `noted`.
 */
export async function readPolicyFiles(
  value: unknown,
  base: string,
  given: readonly Policy[] = [],
  noted: ReadFiles = new ReadFiles(),
): Promise<Unparsed> {
  const absolute = withAbsoluteStateDir(withAbsoluteCertificates(value, base), base)
  for (const file of namedAt(absolute, LISTENER_FILES)) noted.noteBeside(file)
  const { value: written, ...loaded } = await loadPolicies(absolute, base, given, noted)
  const whole = { ...loaded, value: withAbsoluteNetworkFiles(written, base, loaded.chain) }
  for (const file of namedAt(whole.value, networkFilePlaces(loaded.chain))) noted.note(file)
  return findFolders(readPemFiles(await readDocuments(whole, base, noted), base, noted), base)
}

/** The paths written at these places. */
function namedAt(value: unknown, places: readonly Path[]): string[] {
  return places
    .flatMap((place) => matching(value, place))
    .map((path) => path.reduce<unknown>(at, value))
    .filter((file): file is string => typeof file === 'string' && file !== '')
}

async function loadPolicies(
  value: unknown,
  base: string,
  given: readonly Policy[],
  noted: ReadFiles,
): Promise<Unparsed> {
  const written = fieldOf(value, 'policyFiles')
  const findings: Finding[] = []
  let chain: readonly Policy[] = [...policies, ...given.map(guardPolicy)]
  if (!isFields(value) || !Array.isArray(written)) return { value, chain, findings }
  const entries: unknown[] = []
  for (const [i, entry] of itemsOf(written).entries()) {
    const path: Path = ['policyFiles', i]
    const named = typeof entry === 'string' ? entry : fieldOf(entry, 'file')
    if (typeof named !== 'string' || named === '') {
      entries.push(entry)
      continue
    }
    const absolute = resolve(dirname(base), named)
    const place: PolicyFile = { ...placeOf(entry), file: absolute }
    entries.push(isFields(entry) ? { ...entry, file: absolute } : absolute)
    const findingAt = (message: string): void => void findings.push({ path, isKey: false, message })
    for (const file of codeOf(absolute).files) noted.noteBeside(file)
    try {
      chain = insert(chain, await loadPolicy(absolute), place)
    } catch (error) {
      findingAt(`${JSON.stringify(named)} ${messageOf(error)}`)
    }
  }
  return { value: { ...value, policyFiles: entries }, chain, findings }
}

/**
 * The chain of a configuration that was read before, as in a worker thread, in the version `code`; files that are not in it are loaded in
 * their current version. Rejects if that fails.
 */
export async function loadChain(files: readonly PolicyFile[], code: LoadedCode): Promise<readonly Policy[]> {
  goBy(code)
  let chain: readonly Policy[] = policies
  for (const place of files) chain = insert(chain, await loadPolicy(place.file, code), place)
  return chain
}

/** Like `loadChain`, without the policies that can no longer be loaded. Never rejects. */
export async function loadableChain(files: readonly PolicyFile[], code: LoadedCode): Promise<readonly Policy[]> {
  goBy(code)
  let chain: readonly Policy[] = policies
  for (const place of files) {
    try {
      chain = insert(chain, await loadPolicy(place.file, code), place)
    } catch {
      // The file has changed since, so what the policy says of itself cannot be known.
    }
  }
  return chain
}

async function loadPolicy(path: string, code = NO_CODE): Promise<Policy> {
  const entry = code.entries.get(path)
  let exported: unknown
  try {
    exported = await (entry === undefined ? importDefault(path) : importEntry(entry))
  } catch (error) {
    throw new Error(`cannot be loaded: ${messageOf(error)}`, { cause: error })
  }
  if (!isPolicy(exported))
    throw new Error('has no policy as its default export; expected "export default definePolicy({ … })"')
  if (!/^[a-z]+(?:-[a-z0-9]+)*$/.test(exported.name))
    throw new Error(`names its policy ${JSON.stringify(exported.name)}; expected a name such as "tenant-header"`)
  return { version: entry?.digest ?? codeOf(path).digest, ...guardPolicy(exported) }
}

function isPolicy(value: unknown): value is Policy {
  return (
    isFields(value) &&
    typeof value['name'] === 'string' &&
    typeof value['summary'] === 'string' &&
    typeof value['create'] === 'function' &&
    isFields(value['options']) &&
    typeof value['options']['safeParse'] === 'function'
  )
}

function insert(chain: readonly Policy[], policy: Policy, { before, after }: PolicyFile): readonly Policy[] {
  const names = chain.map(({ name }) => name)
  if (names.includes(policy.name)) throw new Error(`holds a policy "${policy.name}", and there is one already`)
  const anchor = before ?? after
  if (anchor === undefined) return [...chain, policy]
  const index = names.indexOf(anchor)
  if (index === -1)
    throw new Error(`has its place at an unknown policy ${JSON.stringify(anchor)}${hint(anchor, names)}`)
  return chain.toSpliced(before === undefined ? index + 1 : index, 0, policy)
}

function placeOf(entry: unknown): Omit<PolicyFile, 'file'> {
  const before = fieldOf(entry, 'before')
  const after = fieldOf(entry, 'after')
  if (typeof before === 'string') return { before }
  return typeof after === 'string' ? { after } : {}
}
