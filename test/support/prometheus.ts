import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { z } from 'zod'
import { cleanUp } from './cleanup.ts'
import { send } from './client.ts'
import { freePorts, until } from './redis.ts'

const seriesSchema = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string()]),
})
const vectorSchema = z.object({ resultType: z.literal('vector'), result: z.array(seriesSchema) })
const scalarSchema = z
  .object({ resultType: z.literal('scalar'), result: seriesSchema.shape.value })
  .transform(({ result }) => ({ resultType: 'vector' as const, result: [{ metric: {}, value: result }] }))
const querySchema = z.object({ data: z.union([vectorSchema, scalarSchema]) })

const ruleSchema = z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })
const rulesSchema = z.object({ data: z.object({ groups: z.array(z.object({ rules: z.array(ruleSchema) })) }) })

/** One series of a result. */
export type Series = z.output<typeof seriesSchema>

/** A rule as loaded by Prometheus. */
export type LoadedRule = z.output<typeof ruleSchema>

/** A Prometheus server for tests. */
export class Prometheus {
  private readonly port: number

  constructor(port: number) {
    this.port = port
  }

  /** The current value of an expression; throws an Error with Prometheus's message. */
  async query(expression: string): Promise<Series[]> {
    const { data } = querySchema.parse(await this.ask('/api/v1/query', { query: expression }))
    return data.result
  }

  async rules(): Promise<LoadedRule[]> {
    return rulesSchema.parse(await this.ask('/api/v1/rules', {})).data.groups.flatMap(({ rules }) => rules)
  }

  /** Whether it has loaded its configuration and accepts queries. */
  async isReady(): Promise<boolean> {
    return send(this.port, { path: '/-/ready' }).then(
      ({ status }) => status === 200,
      () => false,
    )
  }

  private async ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const { status, text } = await send(this.port, { path: `${path}?${new URLSearchParams(parameters).toString()}` })
    if (status !== 200) throw new Error(`Prometheus answers ${status}: ${text}`)
    return JSON.parse(text)
  }
}

/** Runs Prometheus with that configuration on a free port until the end of the test. */
export async function startPrometheus(t: TestContext, configuration: unknown): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-prometheus-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const file = join(folder, 'prometheus.yml')
  await writeFile(file, stringify(configuration))
  const [port] = await freePorts(1)
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const ended = once(child, 'exit')
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await ended
  })
  const prometheus = new Prometheus(port!)
  await until('Prometheus to be ready', () => prometheus.isReady())
  return prometheus
}

/** Runs promtool in a folder; returns whether it succeeded, and its output. */
export function promtool(folder: string, ...args: string[]): { content: boolean; output: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
  if (error !== undefined) throw error
  return { content: status === 0, output: stdout + stderr }
}
