/** Runs what is in a folder as a container engine does: on its own, without rights, and with nothing that can be written to. */
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

/** One that was started. */
export interface Container {
  readonly output: Readable
  /** Its exit code; null where a signal has ended it. */
  readonly ended: Promise<number | null>
  /** Its process 1, as the machine numbers it; undefined before it is there, and when it has ended. */
  readonly started: () => number | undefined
  /** Likewise; throws an Error in place of undefined. */
  readonly first: () => number
  /** Ends it at once, if it still runs. */
  readonly end: () => void
}

const user = '65532'

/**
 * In namespaces for mounts and processes, so that the command is process 1; the last unshare gives up root, and with it every
 * capability. The network is that of the machine.
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

/** Starts one. */
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

/** Runs one to its end; resolves with its exit code. */
export function runContainer(contained: Contained): Promise<number | null> {
  const { output, ended } = startContainer(contained)
  output.pipe(process.stdout)
  return ended
}

/** With process 1 everything in its namespace ends. */
function firstOf({ pid, exitCode, signalCode }: ChildProcessByStdio<null, Readable, null>): number | undefined {
  if (exitCode !== null || signalCode !== null) return undefined
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return Number(children.trim().split(' ')[0]) || undefined
}

function fail(): never {
  throw new Error('The container does not run.')
}
