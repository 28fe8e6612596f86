import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseFrom } from './parse.ts'
import { ConfigError } from './problems.ts'
import type { GatewayConfig, GatewayInput } from './schema.ts'
import { valueSource } from './source.ts'
import type { Environment } from './substitute.ts'
import { fieldOf } from './value.ts'
import { readYaml } from './yaml.ts'

/** Gives a configuration written in code its type: `export default defineConfig({ … })`. */
export function defineConfig(config: GatewayInput): GatewayInput {
  return config
}

/**
 * Loads a configuration file: YAML (JSON is YAML too), or a module with the configuration as its default export.
 * Throws ConfigError with every problem in it.
 */
export async function loadConfig(file: string, environment: Environment): Promise<GatewayConfig> {
  if (/\.[cm]?[jt]s$/.test(file)) return parseFrom(await importDefault(file), valueSource(file))
  const text = await readFile(file, 'utf8').catch((error: unknown) => fail(file, 'cannot be read', error))
  const { value, source, problems } = readYaml(text, file, environment)
  return parseFrom(value, source, problems)
}

async function importDefault(file: string): Promise<unknown> {
  try {
    const url = pathToFileURL(resolve(file))
    // A module is loaded once for each URL: the time of its last change makes an edited file a new one.
    url.searchParams.set('changed', String((await stat(file)).mtimeMs))
    const module: unknown = await import(url.href)
    const config = fieldOf(module, 'default')
    if (config !== undefined) return config
  } catch (error) {
    return fail(file, 'cannot be loaded', error)
  }
  throw new ConfigError([
    { file, path: '', message: 'no default export; expected "export default defineConfig({ … })"' },
  ])
}

function fail(file: string, what: string, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error)
  throw new ConfigError([{ file, path: '', message: `${what}: ${reason}` }])
}
