import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { processTree } from './proc.ts'

/** A command to run; its environment consists only of what is listed here, PATH and HOME. */
export type Command = {
  command: string
  args: string[]
  env?: Record<string, string>
}

/** A running child and its output so far. */
export type Child = {
  pid: number
  output(): string
  exited: Promise<number | null>
}

/** The core on which each measured proxy runs alone. */
export const proxyCore = 0
/** The core of the backend and the load generators. */
export const loadCore = 1

const outputLimit = 1024 * 1024
const running = new Map<number, ChildProcess>()

/** The full path of an installed program; Debian keeps servers in sbin, which may be missing from a user's PATH. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** Starts the command on one core, which its child processes inherit; null: on any core. */
export function start(command: Command, core: number | null): Child {
  const program = findProgram(command.command) ?? command.command
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...command.env }
  const [file = program, ...args] = core === null ? [program] : ['taskset', '-c', String(core), program]
  const child = spawn(file, [...args, ...command.args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const { pid } = child
  if (pid === undefined) throw new Error(`could not start ${program}: is ${file} installed?`)
  running.set(pid, child)
  let output = ''
  const keep = (chunk: Buffer) => {
    if (output.length < outputLimit) output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = once(child, 'close').then(() => {
    running.delete(pid)
    return child.exitCode
  })
  return { pid, output: () => output, exited }
}

/** Runs the command to completion and returns its output; throws if it fails or exceeds the time limit in seconds. */
export async function run(command: Command, core: number, seconds: number): Promise<string> {
  const child = start(command, core)
  const code = await Promise.race([child.exited, delay(seconds * 1000, 'late' as const, { ref: false })])
  if (code === 0) return child.output()
  await stop(child)
  const problem = code === 'late' ? `took longer than ${seconds} seconds` : `ended with ${String(code)}`
  throw new Error(`${command.command} ${problem}: ${child.output().trim().slice(-500)}`)
}

/** Stops the child and its descendants: first with a signal they can handle, and after three seconds by force. */
export async function stop(child: Child): Promise<void> {
  const tree = processTree(child.pid)
  if (!running.has(child.pid)) return
  signal(child.pid, 'SIGTERM')
  const ended = await Promise.race([child.exited.then(() => true), delay(3000, false, { ref: false })])
  if (!ended) for (const pid of tree) signal(pid, 'SIGKILL')
  await child.exited
}

/** Kills everything that is still running, immediately; for use when the process exits. */
export function stopAll(): void {
  for (const root of running.keys()) for (const pid of processTree(root)) signal(pid, 'SIGKILL')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has already exited.
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
