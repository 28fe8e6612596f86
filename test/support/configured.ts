import type { TestContext } from 'node:test'
import { type AdminAnswer, type AdminAsk, requestAdmin } from './admin.ts'
import { type Command, startCommand, temporaryFile } from './command.ts'
import { type FromFile, type FromFileOptions, startFromFile } from './file-gateway.ts'

/** A gateway with a configuration file, and ways to send it requests. */
export interface Configured {
  readonly file: string
  /** URL of its admin listener. */
  readonly admin: string
  /** Sends a request to its admin listener, with the token. */
  readonly ask: (path: string, what?: AdminAsk) => Promise<AdminAnswer>
  /** The body of its reply to clients. */
  readonly answer: () => Promise<string>
}

/** The token of operators on gateways that accept configurations. */
export const TOKEN = 'token-of-the-operators'

/** A configuration that answers every request with that text, with further settings; `writable` lets operators send configurations. */
export function answering(body: string, more = '', writable = false): string {
  const admin = writable ? `, writable: true, token: ${TOKEN}` : ''
  return `
workers: 2
admin: { address: '127.0.0.1:0'${admin} }
endpoints: { docs: false, openapi: false, metrics: /metrics }
listeners: [{ address: '127.0.0.1:0' }]
routes: [{ id: own, match: { path: /* }, reply: { status: 200, body: '${body}' } }]
${more}
overload: false
`
}

/** `sallyport start` with that text in a file, once it listens: a process with two workers. */
export async function startConfigured(
  t: TestContext,
  text: string,
): Promise<Configured & { readonly command: Command }> {
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { command, port, adminPort } = await startCommand(t, file)
  return { command, ...configured(file, port, adminPort) }
}

/** The same in the process of the test, without workers. */
export async function startConfiguredHere(
  t: TestContext,
  text: string,
  options?: FromFileOptions,
): Promise<Configured & Pick<FromFile, 'log' | 'stop'>> {
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const { log, port, adminPort, stop } = await startFromFile(t, file, options)
  return { log, stop, ...configured(file, port, adminPort) }
}

function configured(file: string, port: number, adminPort: number): Configured {
  return {
    file,
    admin: `http://127.0.0.1:${adminPort}`,
    ask: (path, what) =>
      requestAdmin(adminPort, path, { ...what, headers: { Authorization: `Bearer ${TOKEN}`, ...what?.headers } }),
    answer: async () => (await fetch(`http://127.0.0.1:${port}/`)).text(),
  }
}
