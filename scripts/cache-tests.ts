/**
 * Runs the public suite http-tests/cache-tests against the cache and prints its counts by group:
 * node scripts/cache-tests.ts <folder of the suite, its packages installed> [options of the cache policy, as JSON]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { createGateway } from '../src/gateway.ts'

const ORIGIN_PORT = 18_100
const KINDS = ['required', 'optimal', 'check'] as const

const suiteSchema = z.object({
  default: z.array(
    z.object({
      name: z.string(),
      tests: z.array(
        z.object({
          id: z.string(),
          kind: z.enum(KINDS).default('required'),
          depends_on: z.array(z.string()).default([]),
          browser_only: z.boolean().default(false),
        }),
      ),
    }),
  ),
})

/** Id -> true, or why it failed. */
const resultsSchema = z.record(z.string(), z.union([z.literal(true), z.tuple([z.string(), z.string()])]))

const [folder, written = '{}'] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: node scripts/cache-tests.ts <folder> [options]')
const options = z.looseObject({}).parse(JSON.parse(written))
const { default: groups } = suiteSchema.parse(await import(pathToFileURL(join(folder, 'tests/index.mjs')).href))
report(await run(folder))

async function run(suite: string): Promise<z.output<typeof resultsSchema>> {
  const origin = start(suite, 'test-engine/server/server.mjs', {
    npm_config_protocol: 'http',
    npm_config_port: String(ORIGIN_PORT),
    npm_config_pidfile: join(tmpdir(), 'cache-tests.pid'),
  })
  await once(origin.stdout!, 'data')
  const gateway = await createGateway({
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    log: { access: false, level: 'error' },
    services: { origin: { instances: [`http://127.0.0.1:${ORIGIN_PORT}`], health: false } },
    policies: { cache: options },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'origin' }],
  })
  try {
    const base = `http://127.0.0.1:${gateway.addresses[0]!.port}`
    const client = start(suite, 'test-engine/cli.mjs', {
      npm_config_base: base,
      npm_config_id: '',
      npm_package_config_id: '',
    })
    return resultsSchema.parse(JSON.parse(await text(client.stdout!)))
  } finally {
    origin.kill()
    await gateway.close()
  }
}

function start(cwd: string, script: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, ['--no-warnings', script], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function report(results: z.output<typeof resultsSchema>): void {
  const all = new Map(groups.flatMap(({ tests }) => tests.map((test) => [test.id, test])))
  const passes = (id: string): boolean => results[id] === true && all.get(id)!.depends_on.every(passes)
  const tests = groups.map(({ name, tests: each }) => ({ name, tests: each.filter((test) => !test.browser_only) }))
  const row = (name: string, of: (typeof tests)[number]['tests']): string => {
    const counts = KINDS.map((kind) => {
      const ids = of.filter((test) => test.kind === kind).map(({ id }) => id)
      return ids.length === 0 ? '' : `${ids.filter(passes).length} of ${ids.length}`
    })
    return `| ${name} | ${counts.join(' | ')} |`
  }
  console.log(`| group | ${KINDS.join(' | ')} |\n| --- | ---: | ---: | ---: |`)
  for (const group of tests) console.log(row(group.name, group.tests))
  console.log(
    row(
      'all',
      tests.flatMap((group) => group.tests),
    ),
  )
  for (const { id, kind } of tests.flatMap((group) => group.tests))
    if (kind !== 'check' && !passes(id)) console.log(`${kind} ${id}: ${JSON.stringify(results[id])}`)
}
