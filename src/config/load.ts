import { messageOf } from '../core/error-facts.ts'
import { fileErrorOf } from '../core/read-text.ts'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Policy } from '../policies/policy.ts'
import { withAdminToken } from './admin-schema.ts'
import { codeOf } from './code-digest.ts'
import { checkEnvironment } from './environment.ts'
import { importDefault } from './import-module.ts'
import { isModule } from './is-module.ts'
import type { Finding } from './issues.ts'
import { parseFrom } from './parse.ts'
import { checkAddresses } from './check-addresses.ts'
import { readPlainYaml } from './plain-yaml.ts'
import { readPolicies } from './load-policies.ts'
import { migrateKeys } from './migrate-keys.ts'
import { ConfigError, type Problem } from './problems.ts'
import { ReadFiles } from './read-files.ts'
import type { GatewayInput, OwnPolicyInput } from './gateway-input.ts'
import type { GatewayConfig } from './schema.ts'
import { valueSource } from './source.ts'
import type { Environment } from './substitute.ts'
import type { YamlConfig } from './yaml.ts'

/** Gives a configuration written in code its type, which knows the policies in it: `export default defineConfig({ … })`. */
export function defineConfig<const Own extends readonly OwnPolicyInput[] = readonly []>(
  config: GatewayInput<Own>,
): GatewayInput<Own> {
  return config
}

/** A configuration with what it was made from. */
export interface Loaded {
  readonly config: GatewayConfig
  /** Every policy that it may name, in chain order. */
  readonly chain: readonly Policy[]
  /** The file as written; null for a module, which may import further parts. */
  readonly text: string | null
  /** Keys that are written under an old name. */
  readonly renamed: readonly Problem[]
}

/**
 * Loads a configuration file: YAML (which includes JSON), or a module with the configuration as its default export. ADMIN_TOKEN from the
 * environment counts as `admin.token`. Throws ConfigError with all problems.
 */
export async function loadConfig(file: string, environment: Environment): Promise<GatewayConfig> {
  return (await loadWhole(file, environment)).config
}

/**
 * Like `loadConfig`, with the policies that the configuration may name and the text. `files` collects what is read, even if loading fails.
 * `instead` is a YAML text to use instead of the file's contents.
 */
export async function loadWhole(
  file: string,
  environment: Environment,
  files = new ReadFiles(),
  instead: string | null = null,
): Promise<Loaded> {
  files.note(resolve(file))
  const outside = checkEnvironment(environment)
  if (instead === null && isModule(file)) {
    for (const each of codeOf(file).files) files.note(each)
    const { value, source, ...names } = migrateKeys(await importConfig(file), valueSource(file))
    const loaded = await readPolicies(withAdminToken(value, environment), file, file, files)
    const config = parseFrom(loaded, source, [...outside, ...names.problems], checkModule)
    return { config, chain: loaded.chain, text: null, renamed: names.warnings }
  }
  const text = instead ?? (await readFile(file, 'utf8').catch((error: unknown) => failToRead(file, error)))
  const parsed = async ({ problems, ...read }: YamlConfig): Promise<Loaded> => {
    const { value, source, ...names } = migrateKeys(read.value, read.source)
    const loaded = await readPolicies(withAdminToken(value, environment), file, null, files)
    const config = parseFrom(loaded, source, [...outside, ...problems, ...names.problems], checkAddresses)
    return { config, chain: loaded.chain, text, renamed: names.warnings }
  }
  const plain = readPlainYaml(text, file, environment, files)
  const atOnce = plain === null ? null : await parsed(plain).catch(unlessRefused)
  if (atOnce?.renamed.length === 0) return atOnce
  // Slow, but it knows the places of problems and of old names.
  const { readYaml } = await import('./yaml.ts')
  return parsed(readYaml(text, file, environment, files))
}

function unlessRefused(error: unknown): null {
  if (error instanceof ConfigError) return null
  throw error
}

function checkModule(config: GatewayConfig): readonly Finding[] {
  const findings = checkAddresses(config)
  if (config.reload.stateDir === null) return findings
  const message =
    'expected nothing: only a configuration in YAML can be saved, because what a module imports is not saved with it'
  return [...findings, { path: ['reload', 'stateDir'], isKey: false, message }]
}

async function importConfig(file: string): Promise<unknown> {
  await stat(file).catch((error: unknown) => failToRead(file, error))
  const config = await importDefault(file).catch((error: unknown) => fail(file, 'cannot be loaded', error))
  if (config !== undefined) return config
  throw new ConfigError([
    { file, path: '', message: 'no default export; expected "export default defineConfig({ … })"' },
  ])
}

/** If the path does not exist, advice is more useful than the system's error message. */
function failToRead(file: string, error: unknown): never {
  const { missing, message } = fileErrorOf(error)
  const advice = missing ? '; name another one, or create one with "sallyport init"' : ''
  throw new ConfigError([{ file, path: '', message: `${message}${advice}` }])
}

function fail(file: string, what: string, error: unknown): never {
  const reason = messageOf(error)
  throw new ConfigError([{ file, path: '', message: `${what}: ${reason}` }])
}
