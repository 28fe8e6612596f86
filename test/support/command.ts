import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { TIMEOUT } from './timeout.ts'

const sallyport = new URL('../../src/main.ts', import.meta.url).pathname

/** A finished process. */
export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The program; that of this checkout by default. */
  readonly main?: string
  /** A module to load before the program. */
  readonly preload?: string
  /** Descriptors of listening sockets to pass to it, like systemd (sd_listen_fds(3)). */
  readonly sockets?: readonly number[]
}

/** Sets the process id that the sockets are for, which only the process itself knows, and becomes the program. */
const GIVE = 'export LISTEN_PID=$$; exec "$0" "$@"'

/** `sallyport` as a separate process. */
export class Command {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
  private stdout = ''
  private stderr = ''
  private readonly watchers = new Set<() => void>()

  constructor(
    args: readonly string[],
    { env = {}, cwd, main = sallyport, preload, sockets = [] }: CommandOptions = {},
  ) {
    const imports = preload === undefined ? [] : ['--import', preload]
    // The test runner's own variables must not reach the program under test.
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
    const program = [process.execPath, ...imports, main, ...args]
    const variables = sockets.length === 0 ? {} : { LISTEN_FDS: String(sockets.length) }
    const [file = '', ...rest] = sockets.length === 0 ? program : ['sh', '-c', GIVE, ...program]
    this.child = spawn(file, rest, {
      env: { ...inherited, ...variables, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...sockets],
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.child.stdout!.on('data', (text: Buffer) => {
      this.stdout += text.toString()
      for (const look of this.watchers) look()
    })
    this.child.stderr!.on('data', (text: Buffer) => (this.stderr += text.toString()))
    this.ended = new Promise((resolve) => {
      this.child.on('close', (code, signal) => resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }))
    })
  }

  /** The lines of the log so far. */
  get log(): Record<string, unknown>[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1)
    return whole
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** The first line of the log with that message, waiting for it if necessary. */
  async line(message: string): Promise<Record<string, unknown>> {
    return (await this.lines(message, 1))[0]!
  }

  /** The first lines of the log with that message, once there are that many. */
  lines(message: string, count: number): Promise<Record<string, unknown>[]> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        this.watchers.delete(look)
      }
      const fail = (): void => {
        stop()
        reject(new Error(`no "${message}" in the log:\n${this.stdout}${this.stderr}`))
      }
      const timer = setTimeout(fail, TIMEOUT)
      const look = (): void => {
        const lines = this.log.filter((each) => each['message'] === message)
        if (lines.length < count) return
        stop()
        resolve(lines.slice(0, count))
      }
      this.watchers.add(look)
      this.child.once('exit', fail)
      look()
    })
  }
}

/** Writes a file that exists until the end of the test; returns its path. */
export async function temporaryFile(t: TestContext, name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const file = join(folder, name)
  await writeFile(file, content)
  return file
}

/** Runs a command to completion. */
export function run(args: readonly string[], options?: CommandOptions): Promise<Outcome> {
  return new Command(args, options).ended
}

/**
 * Default settings of a gateway unless its YAML sets them. Without the documentation endpoints, services receive only the test's own
 * requests; one worker for each core would take half a second of one each; on a busy machine requests would be shed.
 */
const DEFAULTS = { admin: 'false', overload: 'false', endpoints: '{ docs: false, openapi: false }', workers: '1' }

/** `sallyport start` with that YAML and the defaults above, once it listens; killed at the end of the test if it is still running. */
export async function start(t: TestContext, yaml: string, options?: CommandOptions) {
  return startCommand(t, await temporaryFile(t, 'sallyport.yaml', withDefaults(yaml)), options)
}

/** That YAML with the defaults above. */
export function withDefaults(yaml: string): string {
  const missing = Object.entries(DEFAULTS).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(yaml))
  return missing.length === 0 ? yaml : [yaml, ...missing.map(([key, value]) => `${key}: ${value}`), ''].join('\n')
}

/** `sallyport start` with that file, once it listens; killed at the end of the test if it is still running. */
export async function startCommand(
  t: TestContext,
  file: string,
  { args = [], ...options }: CommandOptions & { readonly args?: readonly string[] } = {},
) {
  const command = new Command(['start', '--config', file, ...args], options)
  cleanUp(t, async () => {
    command.child.kill('SIGKILL')
    await command.ended
  })
  const { listeners, admin } = await command.line('Sallyport is listening')
  const [address] = listeners as string[]
  return { command, port: portOf(address!), adminPort: typeof admin === 'string' ? portOf(admin) : 0 }
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1))
}
