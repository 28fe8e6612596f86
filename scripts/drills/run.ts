import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopAll } from '../../bench/children.ts'
import { describeMachine } from '../../bench/machine.ts'
import { drills } from './cases/index.ts'
import type { Drill } from './drill.ts'
import { type Options, readOptions, usage } from './options.ts'
import { peers } from './peers/index.ts'
import { performOrSkip } from './perform.ts'
import { healthyOf, report, subject } from './report.ts'
import { isDoubtful, merged, type Result } from './results.ts'
import { killInstances } from './service/instance.ts'
import { readResults, writeResults } from './write.ts'

try {
  await main(readOptions(process.argv.slice(2), drills, peers))
} catch (error) {
  progress(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

async function main(options: Options): Promise<void> {
  if (options.help) return print(usage)
  if (options.list) return print(list())
  const earlier = await readResults()
  if (options.render) return writeResults(earlier)
  const machine = describeMachine()
  const results = await performAll(options, earlier.results)
  if (options.json) print(`${JSON.stringify(results, null, 2)}\n`)
  if (!options.json) print(`${report(results)}\n`)
  if (options.write) await writeResults({ machine, results: merged(earlier.results, results) })
}

async function performAll(
  { drills: chosen, peers: wanted, short }: Options,
  earlier: readonly Result[],
): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'drills-'))
  process.on('exit', () => {
    stopAll()
    killInstances()
    rmSync(dir, { recursive: true, force: true })
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  const results: Result[] = []
  for (const peer of wanted) {
    if (peer.version() === undefined) {
      progress(`${peer.name} is not installed, so it is skipped; bench/setup installs it`)
      continue
    }
    for (const drill of chosen) {
      const result = await performOrSkip(drill, peer, short, dir)
      results.push(result)
      progress(verdict(drill, result, healthyOf(peer.name, merged(earlier, results))))
    }
  }
  return results
}

/** The result of a drill, on one line. */
function verdict(drill: Drill, result: Result, healthy: Result | undefined): string {
  if (result.skipped !== null) return `${result.peer}, ${drill.name}: skipped, ${result.skipped}`
  const doubt = isDoubtful(result)
    ? ` (unreliable: the machine was busy, requests were sent up to ${result.late} ms late)`
    : ''
  const line = `${result.peer}, ${drill.name}: ${drill.figure(result)}, ${result.posts.twice} POSTs sent twice${doubt}`
  if (result.peer !== subject) return line
  return `${line}; goal ${drill.isMet(result, healthy) ? 'met' : 'MISSED'}: ${drill.goal}`
}

function list(): string {
  const width = Math.max(...drills.map(({ name }) => name.length))
  const lines = drills.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`)
  return ['Drills:', ...lines, 'Peers:', ...peers.map(({ name }) => `  ${name}`), ''].join('\n')
}

function print(text: string): void {
  process.stdout.write(text)
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}
