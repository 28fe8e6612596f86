import { spawn, type ChildProcess } from 'node:child_process'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'
import { TIMEOUT } from './timeout.ts'

const sallyport = new URL('../../src/main.ts', import.meta.url).pathname

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The program; that of this checkout by default. */
  readonly main?: string
}

/** A program, `sallyport` by default, in a pseudo-terminal made by script(1) of util-linux, with a simulated user who types and reads. */
export class Terminal {
  /** Everything that was displayed, escape sequences included, with "\n" at the end of lines. */
  shown = ''
  /** Its exit code. */
  readonly ended: Promise<number | null>
  private readonly child: ChildProcess
  private readonly watchers = new Set<() => void>()

  constructor(t: TestContext, args: readonly string[], { env = {}, cwd, main = sallyport }: TerminalOptions = {}) {
    const { NODE_TEST_CONTEXT: _, NO_COLOR: _none, ...inherited } = process.env
    const line = `exec ${[process.execPath, main, ...args].map(quoted).join(' ')}`
    this.child = spawn('script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], {
      env: { ...inherited, TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.shown = `${this.shown}${text}`.replaceAll('\r\n', '\n')
      for (const look of this.watchers) look()
    })
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', resolve)
    })
    // Everything that runs in the terminal ends with it.
    cleanUp(t, async () => {
      this.child.kill('SIGKILL')
      await this.ended
    })
  }

  /** Types what a keyboard would send; "\x03" is Control-C. */
  type(text: string): void {
    this.child.stdin!.write(text)
  }

  /** The first match in everything displayed, waiting for it if necessary. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        this.watchers.delete(look)
        this.child.off('close', fail)
      }
      const fail = (): void => {
        stop()
        reject(new Error(`${String(pattern)} was not shown, but:\n${this.shown}`))
      }
      const timer = setTimeout(fail, TIMEOUT)
      const look = (): void => {
        const found = pattern.exec(this.shown)
        if (found === null) return
        stop()
        resolve(found)
      }
      this.watchers.add(look)
      this.child.once('close', fail)
      look()
    })
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
