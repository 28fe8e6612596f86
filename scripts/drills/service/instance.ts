import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Behavior, reportSchema } from './behavior.ts'

const program = join(import.meta.dirname, 'program.ts')
const startSeconds = 20

const running = new Set<ChildProcess>()

/** Kills all running instances, including stopped ones, immediately; for use when the process exits. */
export function killInstances(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** An instance of the drilled service, and the process in which it runs. */
export class ServiceInstance {
  readonly host: string
  readonly port: number
  private behavior: Behavior
  private readonly delivered: (id: string) => void
  private child: ChildProcess | null = null

  /** `delivered` is called with the id of each POST that arrives. */
  constructor(host: string, port: number, behavior: Behavior, delivered: (id: string) => void) {
    this.host = host
    this.port = port
    this.behavior = behavior
    this.delivered = delivered
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  /** Starts the process; resolves when it is listening. */
  async start(): Promise<void> {
    const args = [this.host, String(this.port), JSON.stringify(this.behavior)]
    const child = fork(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.child = child
    running.add(child)
    const listening = Promise.withResolvers<void>()
    const late = setTimeout(
      () => listening.reject(new Error(`${this.address} did not listen in time`)),
      startSeconds * 1000,
    )
    child.on('message', (message) => {
      const report = reportSchema.parse(message)
      if ('listening' in report) return listening.resolve()
      this.delivered(report.delivered)
    })
    child.on('exit', () => {
      running.delete(child)
      listening.reject(new Error(`${this.address} ended before it listened`))
    })
    try {
      await listening.promise
    } finally {
      clearTimeout(late)
    }
  }

  /** Changes the given parts of the instance's behavior. */
  behave(change: Partial<Behavior>): void {
    this.behavior = { ...this.behavior, ...change }
    this.child?.send(this.behavior)
  }

  /** Suspends the process with its connections open (SIGSTOP). */
  freeze(): void {
    this.child?.kill('SIGSTOP')
  }

  /** Resumes it (SIGCONT). */
  thaw(): void {
    this.child?.kill('SIGCONT')
  }

  /** Kills the process immediately (SIGKILL), even if it is suspended. */
  kill(): void {
    this.child?.kill('SIGKILL')
  }

  /** Stops the process if it is running; resolves when it has exited. */
  async end(): Promise<void> {
    const { child } = this
    this.child = null
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
