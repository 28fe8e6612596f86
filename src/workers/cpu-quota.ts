/** The CPU quota that the kernel sets for this process, as configured by `docker run --cpus` and Kubernetes' `limits.cpu`. */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

/** Reads a whole file; null if it does not exist or is not readable. */
export type ReadFile = (path: string) => string | null

/** Mount point of a cgroup hierarchy, and the cgroup at its root. */
interface Mount {
  readonly root: string
  readonly point: string
}

/**
 * Number of worker threads for `workers: auto`: one per whole core of the quota, at least one, and at most the number of cores. A fraction
 * of a core gets no thread: all threads of a process consume the same quota, and the kernel stops all of them when it is used up.
 */
export function automaticWorkers(cores: number, quota: number): number {
  return Math.max(1, Math.floor(Math.min(cores, quota)))
}

/**
 * The CPU quota in cores: the minimum over the process's cgroup and its ancestors, for cgroup versions 1 and 2. Infinity if there is no
 * quota or no cgroup. Node's own availableParallelism() does not take all of them into account.
 */
export function cpuQuota(read: ReadFile = readIfThere): number {
  const mounts = (read('/proc/self/mountinfo') ?? '').split('\n')
  const groups = (read('/proc/self/cgroup') ?? '').split('\n')
  const second = folders(
    findMount(mounts, isSecondVersion),
    findGroup(groups, (names) => names === ''),
  )
  const first = folders(
    findMount(mounts, isCpuOfFirstVersion),
    findGroup(groups, (names) => names.split(',').includes('cpu')),
  )
  return Math.min(
    ...second.map((folder) => secondVersionQuota(read(`${folder}/cpu.max`))),
    ...first.map((folder) => ratio(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`))),
  )
}

/** For what follows " - " in a line of mountinfo, which starts with the file system type (proc_pid_mountinfo(5)): whether it is cgroup v2. */
function isSecondVersion(type: string): boolean {
  return type === 'cgroup2'
}

function isCpuOfFirstVersion(type: string, options: string): boolean {
  return type === 'cgroup' && options.split(',').includes('cpu')
}

function findMount(lines: readonly string[], wanted: (type: string, options: string) => boolean): Mount | null {
  for (const line of lines) {
    const [left = '', right = ''] = line.split(' - ')
    const [type = '', , options = ''] = right.split(' ')
    if (!wanted(type, options)) continue
    const [, , , root = '/', point = '/'] = left.split(' ')
    return { root, point }
  }
  return null
}

/** The path of the process's cgroup, from lines such as `0::/a/b` and `4:cpu,cpuacct:/a` (cgroups(7)). */
function findGroup(lines: readonly string[], wanted: (controllers: string) => boolean): string {
  for (const line of lines) {
    const [, controllers, ...path] = line.split(':')
    if (controllers !== undefined && wanted(controllers)) return path.join(':')
  }
  return '/'
}

/**
 * The directories of the cgroup and its ancestors, as far as they are mounted. In a container, the cgroup may have the host's path, which
 * does not exist below the mount: then the mount itself is the container's cgroup.
 */
function folders(mount: Mount | null, group: string): string[] {
  if (mount === null) return []
  const below = posix.relative(mount.root, group)
  const names = below.startsWith('..') ? [] : below.split('/').filter((name) => name !== '')
  return [...Array(names.length + 1).keys()].map((depth) => posix.join(mount.point, ...names.slice(0, depth)))
}

/** `50000 100000`, or `max 100000` if there is no quota. */
function secondVersionQuota(text: string | null): number {
  const [quota = '', period = ''] = (text ?? '').trim().split(' ')
  return ratio(quota, period)
}

/** Microseconds of CPU time per period; version 1 uses -1 if there is no quota. */
function ratio(quota: string | null, period: string | null): number {
  const cores = Number(quota ?? '') / Number(period ?? '')
  return cores > 0 ? cores : Infinity
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
