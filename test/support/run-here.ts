import { format } from 'node:util'
import type { TestContext } from 'node:test'
import { runCommand } from '../../src/commands/program.ts'

/** What a command has printed, and its exit code. */
export interface Printed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command in this process, which takes milliseconds. Only for commands that print with `console`, as the test runner itself writes to
 * the standard output; and only one at a time.
 */
export async function runHere(t: TestContext, args: readonly string[]): Promise<Printed> {
  const printed = { stdout: '', stderr: '' }
  const log = t.mock.method(console, 'log', (...values: unknown[]) => void (printed.stdout += `${format(...values)}\n`))
  const error = t.mock.method(console, 'error', (...values: unknown[]) => {
    printed.stderr += `${format(...values)}\n`
  })
  const { isTTY } = process.stdout
  process.stdout.isTTY = false
  try {
    return { code: await runCommand(args), ...printed }
  } finally {
    log.mock.restore()
    error.mock.restore()
    process.stdout.isTTY = isTTY
  }
}
