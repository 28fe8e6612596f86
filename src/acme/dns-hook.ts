import { messageOf } from '../core/error-facts.ts'
import { execFile } from 'node:child_process'
import { AcmeError } from './acme-error.ts'

/** How a record gets into the DNS: a program, or a server that is told. */
export type DnsHook =
  | { readonly command: readonly string[] }
  | { readonly url: string; readonly headers: Readonly<Record<string, string>> }

/** What is to be done with a TXT record. */
export interface DnsChange {
  readonly action: 'set' | 'clear'
  /** The certificate's name, without "*.". */
  readonly domain: string
  /** Of the record: _acme-challenge.DOMAIN. */
  readonly name: string
  readonly value: string
}

/** How long one change may take, in milliseconds, and what may be printed meanwhile, in octets. */
const PATIENCE = 60_000
const MOST_OUTPUT = 64 * 1024
/** Characters of what was printed that an error repeats. */
const SHOWN = 300

/** Makes the change. Rejects with an AcmeError that says what went wrong. */
export function changeDns(hook: DnsHook, change: DnsChange, ending: AbortSignal): Promise<void> {
  return 'command' in hook ? run(hook.command, change, ending) : tell(hook, change, ending)
}

/** No shell: names and values are arguments, after those of the configuration. */
function run([program = '', ...args]: readonly string[], change: DnsChange, signal: AbortSignal): Promise<void> {
  const { action, name, value } = change
  // One that does not care about SIGTERM, as a shell that waits, would be waited for for ever.
  const options = {
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    maxBuffer: MOST_OUTPUT,
    signal,
    windowsHide: true,
  } as const
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args, action, name, value], options, (error, stdout, stderr) => {
      if (error === null) return resolve()
      // Broken off, it was told by SIGTERM all the same.
      child.kill('SIGKILL')
      const why = error.killed ? `it took over ${PATIENCE / 1000}s` : reasonOf(error)
      reject(new AcmeError(`the command "${program} … ${action} ${name}" failed: ${why}${shown(stderr || stdout)}`))
    })
  })
}

async function tell(
  { url, headers }: { url: string; headers: Readonly<Record<string, string>> },
  change: DnsChange,
  ending: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(PATIENCE)])
  const { host } = new URL(url)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(change),
      redirect: 'error',
      signal,
    })
    await response.body?.cancel()
    if (!response.ok) throw new AcmeError(`the DNS hook at ${host} answered ${change.action} with ${response.status}`)
  } catch (error) {
    if (error instanceof AcmeError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new AcmeError(`the DNS hook at ${host} cannot be asked: ${messageOf(cause)}`)
  }
}

function reasonOf(error: { code?: string | number | null; message: string }): string {
  if (error.code === 'ENOENT') return 'there is no such program'
  return typeof error.code === 'number' ? `it ended with ${error.code}` : error.message
}

function shown(output: string): string {
  const text = output.trim().replaceAll(/\p{Cc}+/gu, ' ')
  return text === '' ? '' : `: ${text.slice(-SHOWN)}`
}
