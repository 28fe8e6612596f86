import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problems.ts'
import { gatewaySchema } from '../src/config/schema.ts'
import { isFields } from '../src/core/value.ts'
import { temporaryFile } from './support/command.ts'
import { codeBlocks } from './support/markdown.ts'

const root = join(import.meta.dirname, '..')
const REDIS = 'redis://127.0.0.1:6379'
const SECRET = 'a-secret-that-is-long-enough-for-all-of-them-and-some-more-bytes'
/** Where an excerpt with that first key belongs. */
const PLACES: Readonly<Record<string, (excerpt: object) => unknown>> = {
  jwt: (methods) => ({ policies: { auth: { methods } } }),
  methods: (auth) => ({ policies: { auth } }),
  auth: ({ auth }: { auth?: object }) => ({ policies: { auth: { methods: { jwt: { secret: SECRET } }, ...auth } } }),
  cache: (policies) => ({ policies }),
}

for (const { document, line, language, notRun, code } of codeBlocks()) {
  if (language !== 'yaml' || notRun !== null) continue
  test(`the configuration at ${document}:${line} is valid`, async (t) => {
    const value = parse(code, { merge: true }) as object
    const [first = ''] = Object.keys(Array.isArray(value) ? (value[0] as object) : value)
    const yaml = await temporaryFile(t, 'shown.yaml', JSON.stringify(complete(value, first, code)))
    assert.deepEqual(await problemsOf(yaml, code), [])
  })
}

/** The excerpt with its context, and the services that it names. */
function complete(value: object, first: string, excerpt: string): unknown {
  const config = Array.isArray(value) ? { routes: value } : (PLACES[first]?.(value) ?? value)
  assert.ok(isFields(config))
  for (const key of Object.keys(config).filter((name) => !name.startsWith('x-')))
    assert.ok(key in gatewaySchema.shape, `${key} is not a key of the configuration`)
  const names = [...excerpt.matchAll(/service: ([a-z-]+)/g)].map(([, name = '']) => name)
  const services = Object.fromEntries(names.map((name) => [name, { instances: ['http://127.0.0.1:8001'] }]))
  const files = JSON.stringify(config).replaceAll('./policies/', `${root}/examples/policies/`)
  const shown = JSON.parse(files) as { services?: object }
  return { ...shown, services: { ...services, ...shown.services } }
}

/** The problems, except for missing files. */
async function problemsOf(file: string, excerpt: string): Promise<string[]> {
  const names = [...excerpt.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name = '']) => name)
  const environment = Object.fromEntries(names.map((name) => [name, name === 'REDIS_URL' ? REDIS : SECRET]))
  try {
    await loadConfig(file, environment)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
      .map(({ path, message }) => `${path}: ${message}`)
      .filter((text) => !/there is no file|no such file$|no such folder/.test(text))
  }
}
