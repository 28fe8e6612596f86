import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Address } from '../core/address.ts'
import { codeOf } from '../core/error-facts.ts'
import type { ListeningHandle } from '../listener/acceptor.ts'

/** Time limit for copying, in milliseconds; most of it is the start of a program. */
const TIMEOUT = 30_000

const FAILED = 'the listening sockets could not be copied'
const TOO_FEW = `${FAILED}: too many files are open; raise the limit (ulimit -Hn, LimitNOFILE), or lower limits.connections`

/**
 * Duplicates listening sockets of this process, whichever thread they belong to: connections queue in a socket until its last copy is
 * closed. The copies belong to the calling thread. Rejects if a descriptor is not a listening socket on the port of the corresponding
 * address, or if too many files are open.
 */
export async function copySockets(
  descriptors: readonly number[],
  addresses: readonly Address[],
): Promise<ListeningHandle[]> {
  const file = import.meta.url.endsWith('.ts') ? './copy-program.ts' : './copy-program.js'
  const program = fileURLToPath(new URL(file, import.meta.url))
  const ports = addresses.map(({ port }) => String(port))
  // NODE_OPTIONS, which may preload modules, are meant for the gateway only.
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-sigusr1', program, ...ports], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', ...descriptors],
    env,
  })
  // The `timeout` option of spawn() would keep running, and keep the process alive, after everything is done.
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT).unref()
  const copies = new Map<number, ListeningHandle>()
  return await new Promise((resolve, reject) => {
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(codeOf(error) === 'EMFILE' ? new Error(TOO_FEW, { cause: error }) : error)
    })
    const fail = (problem: string): void => {
      for (const copy of copies.values()) copy.close()
      reject(new Error(problem))
    }
    const failed = (): void => fail(FAILED)
    child.once('exit', failed)
    child.once('exit', () => clearTimeout(timer))
    child.on('message', (message, handle) => {
      if (message === 'sent' && copies.size < descriptors.length) {
        child.off('exit', failed)
        child.kill('SIGKILL')
        fail(TOO_FEW)
      }
      if (!isListeningHandle(handle) || !isIndexed(message)) return
      copies.set(message.index, handle)
      if (copies.size < descriptors.length) return
      child.off('exit', failed)
      child.disconnect()
      resolve([...copies].toSorted(([one], [other]) => one - other).map(([, copy]) => copy))
    })
  })
}

/** Like `copySockets`, for those that exist; null where there is no descriptor. */
export async function copyThose(
  places: readonly number[],
  descriptors: readonly (number | null)[],
  addresses: readonly Address[],
): Promise<(ListeningHandle | null)[]> {
  const found = places.flatMap((place) => {
    const [descriptor = null, address] = [descriptors[place], addresses[place]]
    return descriptor === null || address === undefined ? [] : [{ place, descriptor, address }]
  })
  if (found.length === 0) return places.map(() => null)
  const copies = await copySockets(
    found.map(({ descriptor }) => descriptor),
    found.map(({ address }) => address),
  )
  const byPlace = new Map(found.map(({ place }, i) => [place, copies[i] ?? null]))
  return places.map((place) => byPlace.get(place) ?? null)
}

function isListeningHandle(handle: unknown): handle is ListeningHandle {
  return typeof handle === 'object' && handle !== null && 'fd' in handle && 'close' in handle
}

function isIndexed(message: unknown): message is { index: number } {
  return typeof message === 'object' && message !== null && 'index' in message && typeof message.index === 'number'
}
