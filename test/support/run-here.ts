import { AsyncLocalStorage } from 'node:async_hooks'
import { runCommand } from '../../src/commands/program.ts'
import type { CommandOptions } from './command.ts'

/** What a command has written, and its exit code. */
export interface Printed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The variables and the folder of a command. */
export type Surroundings = Pick<CommandOptions, 'env' | 'cwd'>

const written = new AsyncLocalStorage<{ stdout: string; stderr: string }>()
let last: Promise<unknown> = Promise.resolve()

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name]
  const write = stream.write.bind(stream)
  // The test runner writes there as well, also while a command runs.
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const ofCommand = written.getStore()
    if (ofCommand === undefined) return Boolean(Reflect.apply(write, stream, [chunk, ...rest]))
    ofCommand[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = rest.at(-1)
    if (typeof done === 'function') process.nextTick(done)
    return true
  }
}

/**
 * Runs a command in this process, which takes milliseconds, as if its output were not a terminal. Commands wait for each other, because a
 * process has one folder and one environment.
 */
export function runHere(args: readonly string[], surroundings: Surroundings = {}): Promise<Printed> {
  const printed = last.then(() => runAlone(args, surroundings))
  last = printed.catch(() => {})
  return printed
}

async function runAlone(args: readonly string[], { env = {}, cwd = process.cwd() }: Surroundings): Promise<Printed> {
  const before = { env: process.env, cwd: process.cwd(), isTTY: process.stdout.isTTY }
  const output = { stdout: '', stderr: '' }
  process.chdir(cwd)
  process.env = { ...before.env, ...env }
  process.stdout.isTTY = false
  try {
    return { code: await written.run(output, () => runCommand(args)), ...output }
  } finally {
    process.stdout.isTTY = before.isTTY
    process.env = before.env
    process.chdir(before.cwd)
  }
}
