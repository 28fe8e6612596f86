/** Runs the contents of a folder like a container engine: isolated, unprivileged, and with nothing writable. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** What a container runs. */
export interface Contained {
  /** Its root: the folder where the image is mounted. */
  readonly root: string
  /** The working directory in it. */
  readonly folder: string
  readonly command: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/** A started container. */
export interface Container {
  readonly output: Readable
  /** Its exit code; null if it was ended by a signal. */
  readonly ended: Promise<number | null>
  /** The process id, on the machine, of its process 1; undefined before it has started and after it has ended. */
  readonly started: () => number | undefined
  /** The same, but throws an Error instead of returning undefined. */
  readonly first: () => number
  /** Kills it immediately, if it is still running. */
  readonly end: () => void
}

const user = '65532'

/**
 * In mount and process namespaces, so that the command is process 1; the last unshare gives up root, and with it every capability. The
 * network is that of the machine.
 */
const SCRIPT = `set -eu
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind -o remount,ro "$root" "$root"
exec env --ignore-environment "$@"
`

/** Starts a container. */
export function startContainer({ root, folder, command, env }: Contained): Container {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const inside = ['/usr/bin/unshare', '--root', root, '--wd', folder, '--setgid', user, '--setuid', user, ...command]
  const namespaces = ['--mount', '--pid', '--fork']
  const child = spawn('unshare', [...namespaces, 'sh', '-c', SCRIPT, 'sh', root, ...variables, ...inside], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return {
    output: child.stdout,
    ended: new Promise((resolve) => child.once('exit', resolve)),
    started: () => firstOf(child),
    first: () => firstOf(child) ?? fail(),
    end: () => {
      const first = firstOf(child)
      if (first !== undefined) process.kill(first, 'SIGKILL')
    },
  }
}

/** Runs a container until it ends; resolves with its exit code. */
export function runContainer(contained: Contained): Promise<number | null> {
  const { output, ended } = startContainer(contained)
  output.pipe(process.stdout)
  return ended
}

/** When process 1 ends, so does everything in its namespace. */
function firstOf({ pid, exitCode, signalCode }: ChildProcessByStdio<null, Readable, null>): number | undefined {
  if (exitCode !== null || signalCode !== null) return undefined
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return Number(children.trim().split(' ')[0]) || undefined
}

function fail(): never {
  throw new Error('The container is not running.')
}
