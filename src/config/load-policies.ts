import { messageOf } from '../core/error-facts.ts'
import { dirname, resolve } from 'node:path'
import { type Policy, policyMembers } from '../policies/policy.ts'
import { policies } from '../policies/index.ts'
import { guardPolicy } from '../policies/guard.ts'
import { withAbsoluteCertificates } from './certificate-files.ts'
import { codeOf } from './code-digest.ts'
import { readDocuments } from './documents.ts'
import { LISTENER_FILES } from './file-paths.ts'
import { goBy, isImported } from './fresh-modules.ts'
import { importEntry, importModule } from './import-module.ts'
import { findFolders } from './folders.ts'
import type { Finding } from './issues.ts'
import { type LoadedCode, NO_CODE } from './loaded-code.ts'
import type { OwnPolicy } from './own-policy-schema.ts'
import type { Path } from './problems.ts'
import { networkFilePaths, withAbsoluteNetworkFiles, withAbsoluteStateDir } from './network-files.ts'
import { matching } from './option-paths.ts'
import { readPemFiles } from './pem-files.ts'
import { ReadFiles } from './read-files.ts'
import { hint, nearest } from './suggest.ts'
import type { UncheckedConfig } from './unchecked-config.ts'
import { at, fieldOf, type Fields, isFields, itemsOf } from '../core/value.ts'

/**
 * Loads the policies of a configuration before it is parsed, because its schema depends on them, along with the documents that their
 * options name, certificates and keys. Entries that the schema will refuse are left to it. `base` is the configuration file, and `module`
 * the same if it is code, so that every thread can load policies given as objects from there; files are recorded in `noted`.
 */
export async function readPolicies(
  value: unknown,
  base: string,
  module: string | null = null,
  noted: ReadFiles = new ReadFiles(),
): Promise<UncheckedConfig> {
  const absolute = withAbsoluteStateDir(withAbsoluteCertificates(value, base), base)
  for (const file of namedAt(absolute, LISTENER_FILES)) noted.noteBeside(file)
  const { value: written, ...loaded } = await loadPolicies(absolute, base, module, noted)
  const whole = { ...loaded, value: withAbsoluteNetworkFiles(written, base, loaded.chain) }
  for (const file of namedAt(whole.value, networkFilePaths(loaded.chain))) noted.note(file)
  return findFolders(readPemFiles(await readDocuments(whole, base, noted), base, noted), base)
}

/** Stands for the file of a policy that only exists as an object in this thread. */
export const OBJECT = '(object)'

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
  module: string | null,
  noted: ReadFiles,
): Promise<UncheckedConfig> {
  const written = fieldOf(value, 'ownPolicies')
  const findings: Finding[] = []
  let chain: readonly Policy[] = policies
  if (!isFields(value) || !Array.isArray(written)) return { value, chain, findings }
  const entries: unknown[] = []
  for (const [i, entry] of itemsOf(written).entries()) {
    const object = policyIn(entry)
    const place = object === null ? fileOf(entry, base) : await fileOfObject(object, module)
    if (place === null) {
      entries.push(entry)
      continue
    }
    entries.push({ ...othersOf(entry), ...place })
    try {
      const isHere = object !== null && place.file === OBJECT
      if (isHere) noted.noteObject(object.name, identityOf(object))
      else for (const file of codeOf(place.file).files) noted.noteBeside(file)
      chain = insert(chain, isHere ? checked(object) : await loadPolicy(place), placeOf(entry))
    } catch (error) {
      const what = object === null ? JSON.stringify(entryFile(entry)) : 'the object'
      findings.push({ path: ['ownPolicies', i], isKey: false, message: `${what} ${messageOf(error)}` })
    }
  }
  return { value: { ...value, ownPolicies: entries }, chain, findings }
}

/** The policy of an entry in TypeScript; null if it is a file. */
function policyIn(entry: unknown): Policy | null {
  const object = isPolicy(entry) ? entry : fieldOf(entry, 'policy')
  return isPolicy(object) ? object : null
}

/** The members of an entry besides the policy. */
function othersOf(entry: unknown): Fields {
  if (!isFields(entry) || isPolicy(entry)) return {}
  const { policy: _, ...others } = entry
  return others
}

function entryFile(entry: unknown): unknown {
  return typeof entry === 'string' ? entry : fieldOf(entry, 'file')
}

/** Where the policy of an entry is; null if the schema will refuse the entry. */
function fileOf(entry: unknown, base: string): OwnPolicy | null {
  const named = entryFile(entry)
  if (typeof named !== 'string' || named === '') return null
  const name = fieldOf(entry, 'name')
  return { file: resolve(dirname(base), named), ...(typeof name === 'string' && { name }) }
}

/**
 * Where a policy that a module lists as an object can be loaded from: the imported file that exports it, so that other changes of the module
 * do not change the policy; otherwise the module. Objects of a configuration that is no module exist in this thread only.
 */
async function fileOfObject(object: Policy, module: string | null): Promise<OwnPolicy> {
  const { name } = object
  if (module === null) return { file: OBJECT, name }
  const main = resolve(module)
  for (const file of codeOf(main).files) {
    if (file === main || !isImported(file)) continue
    const exports = await importModule(file)
    if (fieldOf(exports, 'default') === object) return { file }
    if (policyNamed(name, exports) === object) return { file, name }
  }
  return { file: main, name }
}

/** Objects without a version, numbered in the order in which they were seen: another object may behave differently. */
const identities = new WeakMap<Policy, string>()
let objects = 0

function identityOf(policy: Policy): string {
  const known = policy.version ?? identities.get(policy)
  if (known !== undefined) return known
  const made = `object ${(objects += 1)}`
  identities.set(policy, made)
  return made
}

/** The policy of that name in the list of the configuration that a module exports, or among the other exports of a module. */
function policyNamed(name: string, exports: unknown): unknown {
  return policiesIn(exports).find((policy) => policy['name'] === name)
}

/** What a module has as policies; each may still lack something. */
function policiesIn(exports: unknown): Fields[] {
  const listed = itemsOf(fieldOf(fieldOf(exports, 'default'), 'ownPolicies')).map(policyIn)
  return [...listed, ...(isFields(exports) ? Object.values(exports) : [])]
    .filter(isFields)
    .filter(({ name, summary }) => typeof name === 'string' && typeof summary === 'string')
}

/**
 * The chain of a configuration that was read before, as in a worker thread, in the version `code`; files that are not in it are loaded in
 * their current version. Rejects if that fails.
 */
export async function loadChain(files: readonly OwnPolicy[], code: LoadedCode): Promise<readonly Policy[]> {
  goBy(code)
  let chain: readonly Policy[] = policies
  for (const place of files) chain = insert(chain, await loadPolicy(place, code), place)
  return chain
}

/** Like `loadChain`, without the policies that can no longer be loaded. Never rejects. */
export async function loadableChain(files: readonly OwnPolicy[], code: LoadedCode): Promise<readonly Policy[]> {
  goBy(code)
  let chain: readonly Policy[] = policies
  for (const place of files) {
    try {
      chain = insert(chain, await loadPolicy(place, code), place)
    } catch {
      // The file has changed since, so what the policy says of itself cannot be known.
    }
  }
  return chain
}

async function loadPolicy({ file, name }: OwnPolicy, code = NO_CODE): Promise<Policy> {
  const entry = code.entries.get(file)
  const policy = checked(await exportedPolicy(file, name, code))
  return { version: entry?.digest ?? codeOf(file).digest, ...policy }
}

/** Loads a policy without checks. Rejects if its file cannot be loaded; the result is not a policy if the file has none. */
async function exportedPolicy(file: string, name: string | undefined, code: LoadedCode): Promise<unknown> {
  const entry = code.entries.get(file)
  let exports: unknown
  try {
    exports = await (entry === undefined ? importModule(file) : importEntry(entry))
  } catch (error) {
    throw new Error(`cannot be loaded: ${messageOf(error)}`, { cause: error })
  }
  if (name === undefined) return fieldOf(exports, 'default')
  const policy = policyNamed(name, exports)
  if (policy !== undefined) return policy
  const names = policiesIn(exports).map((each) => String(each['name']))
  const advice = code === NO_CODE ? hint(name, names) : '; it must have the same ones whenever it is loaded'
  throw new Error(`has no policy ${JSON.stringify(name)}${advice}`)
}

/** Throws an Error that says why it is not a policy. */
function checked(exported: unknown): Policy {
  if (!isFields(exported) || !Object.keys(exported).some((member) => policyMembers.has(member)))
    throw new Error('has no policy as its default export; expected "export default definePolicy({ … })"')
  const unknown = Object.keys(exported).find((member) => !policyMembers.has(member))
  if (unknown !== undefined) {
    const meant = nearest(unknown, policyMembers)
    const advice = meant === undefined ? 'remove it' : `did you mean ${JSON.stringify(meant)}?`
    throw new Error(`has a policy with the member ${JSON.stringify(unknown)}, which policies do not have; ${advice}`)
  }
  if (!isPolicy(exported)) throw new Error(`has a policy without ${lackOf(exported)}`)
  if (!/^[a-z]+(?:-[a-z0-9]+)*$/.test(exported.name))
    throw new Error(`names its policy ${JSON.stringify(exported.name)}; expected a name such as "tenant-header"`)
  return guardPolicy(exported)
}

function isPolicy(value: unknown): value is Policy {
  return isFields(value) && lackOf(value) === null
}

/** The first of the members that every policy needs which a value does not have; null if it has all of them. */
function lackOf({ name, summary, options, create }: Fields): string | null {
  if (typeof name !== 'string') return 'a text as "name"'
  if (typeof summary !== 'string') return 'a text as "summary"'
  if (!isFields(options) || typeof options['safeParse'] !== 'function') return 'a schema of zod as "options"'
  return typeof create === 'function' ? null : 'a function as "create"'
}

function insert(
  chain: readonly Policy[],
  policy: Policy,
  { before, after }: Omit<OwnPolicy, 'file'>,
): readonly Policy[] {
  const names = chain.map(({ name }) => name)
  if (names.includes(policy.name)) throw new Error(`contains a policy "${policy.name}", which already exists`)
  const anchor = before ?? after
  if (anchor === undefined) return [...chain, policy]
  const index = names.indexOf(anchor)
  if (index === -1) throw new Error(`is placed at an unknown policy ${JSON.stringify(anchor)}${hint(anchor, names)}`)
  return chain.toSpliced(before === undefined ? index + 1 : index, 0, policy)
}

function placeOf(entry: unknown): Omit<OwnPolicy, 'file'> {
  const before = fieldOf(entry, 'before')
  const after = fieldOf(entry, 'after')
  if (typeof before === 'string') return { before }
  return typeof after === 'string' ? { after } : {}
}
