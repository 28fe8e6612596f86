import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { programVersion } from './peers/version.ts'

/** The machine that runs the benchmark, as rows of a table. */
export function describeMachine(): [string, string][] {
  const processors = cpus()
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown'
  return [
    ['Processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['Memory', `${Math.round(totalmem() / 1024 ** 3)} GiB`],
    ['System', `${system}, Linux ${release()}`],
    ['Load before the run', (loadavg()[0] ?? 0).toFixed(2)],
  ]
}

/** The versions of Node.js and the load generators. */
export function toolVersions(): [string, string][] {
  return [
    ['Node.js', process.version.slice(1)],
    ['wrk', programVersion('wrk', ['-v']) ?? 'missing'],
    ['h2load', programVersion('h2load', ['--version']) ?? 'missing'],
  ]
}

/** The commit of the source tree, marked if files differ from it; empty outside a git repository. */
export function describeCommit(root: string): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return ''
  }
}
