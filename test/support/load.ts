import { Agent, request } from 'node:http'
import { Agent as SecureAgent, request as requestSecurely } from 'node:https'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { cleanUp } from './cleanup.ts'

export interface LoadOptions {
  readonly secure: boolean
  /** Clients that keep using one connection for as long as possible. */
  readonly keeping: number
  /** Clients that open a new connection for each request. */
  readonly connecting: number
}

/** How long a client waits after each reply, in milliseconds: a process that is starting at the same time needs the CPU too. */
const THOUGHT = 10

/** Clients that send one request after the other, without retries. */
export class Load {
  answered = 0
  /** Requests that were not answered with 200. */
  readonly failures: string[] = []
  /** Replies with "Connection: close" to clients that keep connections. */
  moved = 0
  private readonly port: number
  private readonly clients: Promise<void>[]
  private readonly waiting = new Set<() => void>()
  private stopped = false

  constructor(t: TestContext, port: number, { secure, keeping, connecting }: LoadOptions) {
    this.port = port
    const client = (keepAlive: boolean): Promise<void> => {
      const options = { keepAlive, maxSockets: 1 }
      const agent = secure ? new SecureAgent({ ...options, maxCachedSessions: 0 }) : new Agent(options)
      cleanUp(t, () => agent.destroy())
      return this.ask(agent, secure, keepAlive)
    }
    this.clients = [
      ...Array.from({ length: keeping }, () => client(true)),
      ...Array.from({ length: connecting }, () => client(false)),
    ]
    cleanUp(t, () => this.stop())
  }

  /** Resolves when that many more requests have finished. */
  async more(requests: number): Promise<void> {
    const until = this.done + requests
    while (this.done < until) await new Promise<void>((resolve) => this.waiting.add(resolve))
  }

  /** Resolves when all have their replies. */
  async stop(): Promise<void> {
    this.stopped = true
    await Promise.all(this.clients)
  }

  private get done(): number {
    return this.answered + this.failures.length
  }

  private async ask(agent: Agent, secure: boolean, keeps: boolean): Promise<void> {
    while (!this.stopped) {
      try {
        const { status, closes } = await askOnce(this.port, agent, secure)
        if (status !== 200) throw new Error(`status ${status}`)
        this.answered++
        if (keeps && closes) this.moved++
      } catch (error) {
        this.failures.push(String(error))
      }
      for (const wake of this.waiting) wake()
      this.waiting.clear()
      await setTimeout(THOUGHT)
    }
  }
}

function askOnce(port: number, agent: Agent, secure: boolean): Promise<{ status: number; closes: boolean }> {
  const options = { host: '127.0.0.1', port, agent }
  return new Promise((resolve, reject) => {
    const outgoing = secure ? requestSecurely({ ...options, rejectUnauthorized: false }) : request(options)
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      response.on('error', reject)
      response.on('end', () => {
        const { complete, statusCode: status = 0, headers } = response
        if (complete) resolve({ status, closes: headers.connection === 'close' })
        else reject(new Error('the reply was truncated'))
      })
      response.resume()
    })
    outgoing.end()
  })
}
