import { readdirSync, readFileSync } from 'node:fs'

/** The ids of the process and all its descendants. */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readOrEmpty(`/proc/${name}/stat`)
    if (stat !== '') parents.set(Number(name), parentFromStat(stat))
  }
  const tree = [pid]
  // The loop also visits the children that it appends.
  for (const member of tree) {
    for (const [child, parent] of parents) if (parent === member) tree.push(child)
  }
  return tree
}

/** The CPU time of all threads of the processes, in nanoseconds; excluding threads that have ended. */
export function cpuNanoseconds(pids: number[]): number {
  let sum = 0
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) sum += cpuFromSchedstat(readOrEmpty(`/proc/${pid}/task/${thread}/schedstat`))
  }
  return sum
}

/** The peak resident memory of the processes, in bytes; shared pages count once for each process. */
export function peakMemoryBytes(pids: number[]): number {
  return pids.reduce((sum, pid) => sum + peakFromStatus(readOrEmpty(`/proc/${pid}/status`)), 0)
}

/** The parent's id from /proc/<pid>/stat, whose second field may contain spaces and parentheses. */
export function parentFromStat(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

/** CPU time in nanoseconds, the first field of schedstat. */
export function cpuFromSchedstat(schedstat: string): number {
  return Number(schedstat.split(' ')[0])
}

/** VmHWM from /proc/<pid>/status in bytes; 0 for a process that has ended. */
export function peakFromStatus(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A process may end between listing and reading. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
