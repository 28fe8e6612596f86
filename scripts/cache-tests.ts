/**
 * Runs the public test suite http-tests/cache-tests against the cache and prints its counts by group:
 * node scripts/cache-tests.ts <folder of the suite, its packages installed> [options of the cache policy, as JSON] [workers, 1 by default]
 * With --write instead of the options, it runs those of docs/cache-tests.md on both stores and writes docs/cache-tests.json. For
 * {"store":"redis"}, it starts a redis-server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { createGateway, type GatewayInput } from '../src/gateway.ts'

const ORIGIN_PORT = 18_100
const REDIS_PORT = 18_101
const KINDS = ['required', 'optimal', 'check'] as const

/** What --write runs on each store: the defaults, and options that enable everything the cache can do. */
const WRITTEN = [{}, { heuristic: 0.1, setCookie: true }]

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

type Results = z.output<typeof resultsSchema>
type Kind = (typeof KINDS)[number]

/** The number of tests of each kind in a group, and how many of them passed. */
interface Count {
  readonly group: string
  readonly counts: Readonly<Record<Kind, readonly [passed: number, all: number]>>
}

const [folder, written = '{}', workers = '1'] = process.argv.slice(2)
if (folder === undefined) throw new Error('Usage: node scripts/cache-tests.ts <folder> [options | --write] [workers]')
const { default: groups } = suiteSchema.parse(await import(pathToFileURL(join(folder, 'tests/index.mjs')).href))
if (written === '--write') await writeAll(folder)
else await report(folder, z.looseObject({}).parse(JSON.parse(written)))

async function writeAll(suite: string): Promise<void> {
  const runs = []
  for (const options of WRITTEN) {
    for (const store of ['memory', 'redis'])
      runs.push({ store, options, groups: count(await run(suite, { store, ...options })) })
  }
  const file = new URL('../docs/cache-tests.json', import.meta.url)
  await writeFile(file, `${JSON.stringify(runs, null, 2)}\n`)
}

async function run(suite: string, options: Readonly<Record<string, unknown>>): Promise<Results> {
  const redis = options['store'] === 'redis' ? await startRedis() : null
  const origin = start(suite, 'test-engine/server/server.mjs', {
    npm_config_protocol: 'http',
    npm_config_port: String(ORIGIN_PORT),
    npm_config_pidfile: join(tmpdir(), 'cache-tests.pid'),
  })
  await once(origin.stdout!, 'data')
  const config: GatewayInput = {
    workers: Number(workers),
    listeners: [{ address: '127.0.0.1:0' }],
    admin: false,
    log: { access: false, level: 'error' },
    services: { origin: { instances: [`http://127.0.0.1:${ORIGIN_PORT}`], health: false } },
    ...(redis !== null && { stores: { redis: { url: `redis://127.0.0.1:${REDIS_PORT}`, timeout: '1s' } } }),
    policies: { cache: options },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'origin' }],
  }
  const gateway = await createGateway(config, { workers: Number(workers) > 1 })
  try {
    const base = `http://127.0.0.1:${gateway.addresses[0]!.port}`
    const client = start(suite, 'test-engine/cli.mjs', {
      npm_config_base: base,
      npm_config_id: '',
      npm_package_config_id: '',
    })
    return resultsSchema.parse(JSON.parse(await text(client.stdout!)))
  } finally {
    await gateway.close()
    await Promise.all([origin, redis].map(stop))
  }
}

async function startRedis(): Promise<ChildProcess> {
  const args = ['--port', String(REDIS_PORT), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const redis = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const output of redis.stdout) if (String(output).includes('Ready to accept connections')) break
  return redis
}

function start(cwd: string, script: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, ['--no-warnings', script], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function stop(child: ChildProcess | null): Promise<void> {
  if (child === null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

/** Counts each group and the total; prints which required and optimal tests failed. */
function count(results: Results): Count[] {
  const all = new Map(groups.flatMap(({ tests }) => tests.map((test) => [test.id, test])))
  const passes = (id: string): boolean => results[id] === true && all.get(id)!.depends_on.every(passes)
  const countOf = (group: string, tests: readonly { id: string; kind: Kind }[]): Count => {
    const of = (kind: Kind): [number, number] => {
      const ids = tests.filter((test) => test.kind === kind).map(({ id }) => id)
      return [ids.filter(passes).length, ids.length]
    }
    return { group, counts: { required: of('required'), optimal: of('optimal'), check: of('check') } }
  }
  const counted = groups.map(({ name, tests }) => ({ name, tests: tests.filter((test) => !test.browser_only) }))
  const everything = countOf(
    'all',
    counted.flatMap(({ tests }) => tests),
  )
  for (const { id, kind } of counted.flatMap(({ tests }) => tests))
    if (kind !== 'check' && !passes(id)) console.log(`${kind} ${id}: ${JSON.stringify(results[id])}`)
  return [...counted.map(({ name, tests }) => countOf(name, tests)), everything]
}

function cell([passed, all]: readonly [number, number]): string {
  return all === 0 ? '' : `${passed} of ${all}`
}

async function report(suite: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const rows = count(await run(suite, options)).map(
    ({ group, counts }) => `| ${group} | ${KINDS.map((kind) => cell(counts[kind])).join(' | ')} |`,
  )
  console.log([`| group | ${KINDS.join(' | ')} |`, '| --- | ---: | ---: | ---: |', ...rows].join('\n'))
}
