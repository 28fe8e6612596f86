import { messageOf } from '../core/error-facts.ts'
import { execFile } from 'node:child_process'
import { AcmeError } from './acme-error.ts'

/** How DNS records are changed: by a program, or by an HTTP request. */
export type DnsHook =
  | { readonly command: readonly string[] }
  | { readonly url: string; readonly headers: Readonly<Record<string, string>> }

/** A change of a TXT record. */
export interface DnsChange {
  readonly action: 'set' | 'clear'
  /** The certificate's name, without "*.". */
  readonly domain: string
  /** Name of the record: _acme-challenge.DOMAIN. */
  readonly name: string
  readonly value: string
}

/** Time limit for one change, in milliseconds, and maximum output of the program, in bytes. */
const TIMEOUT = 60_000
const MAX_OUTPUT = 64 * 1024
/** Maximum number of output characters included in an error. */
const SHOWN = 300

/** Performs the change. Rejects with an AcmeError that says what went wrong. */
export function changeDns(hook: DnsHook, change: DnsChange, ending: AbortSignal): Promise<void> {
  return 'command' in hook ? run(hook.command, change, ending) : callHook(hook, change, ending)
}

/** Runs without a shell: names and values are passed as arguments, after the configured ones. */
function run([program = '', ...args]: readonly string[], change: DnsChange, signal: AbortSignal): Promise<void> {
  const { action, name, value } = change
  // SIGTERM would not be enough for programs that ignore it, such as a waiting shell: they would never end.
  const options = {
    timeout: TIMEOUT,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT,
    signal,
    windowsHide: true,
  } as const
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args, action, name, value], options, (error, stdout, stderr) => {
      if (error === null) return resolve()
      // When aborted, it has already received SIGTERM.
      child.kill('SIGKILL')
      const why = error.killed ? `it took longer than ${TIMEOUT / 1000}s` : reasonOf(error)
      reject(new AcmeError(`the command "${program} … ${action} ${name}" failed: ${why}${shown(stderr || stdout)}`))
    })
  })
}

async function callHook(
  { url, headers }: { url: string; headers: Readonly<Record<string, string>> },
  change: DnsChange,
  ending: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(TIMEOUT)])
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
    throw new AcmeError(`the DNS hook at ${host} cannot be reached: ${messageOf(cause)}`)
  }
}

function reasonOf(error: { code?: string | number | null; message: string }): string {
  if (error.code === 'ENOENT') return 'the program does not exist'
  return typeof error.code === 'number' ? `it exited with ${error.code}` : error.message
}

function shown(output: string): string {
  const text = output.trim().replaceAll(/\p{Cc}+/gu, ' ')
  return text === '' ? '' : `: ${text.slice(-SHOWN)}`
}
