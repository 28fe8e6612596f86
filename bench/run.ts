import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { sallyportAt } from './against.ts'
import { startBackend } from './backend.ts'
import { findProgram, loadCore, stop, stopAll } from './children.ts'
import { describeCommit, describeMachine, toolVersions } from './machine.ts'
import { readOptions, usage, type Options } from './options.ts'
import { peers as allPeers, projectRoot } from './peers/index.ts'
import type { Peer } from './peers/peer.ts'
import { freePort } from './proxy.ts'
import { shortReport } from './report/report.ts'
import { readResults, writeReport } from './report/write.ts'
import type { Results, ScenarioResult } from './results.ts'
import { runScenario } from './rounds.ts'
import { scenarios as allScenarios } from './scenarios/index.ts'

const docs = join(projectRoot, 'docs')
const subject = 'Sallyport'
/** A load average above this before the run means that other processes use the two cores too. */
const quietLoad = 0.5

if (process.argv.includes('--help')) {
  process.stdout.write(usage)
} else {
  try {
    await main(readOptions(process.argv.slice(2), allScenarios, allPeers))
  } catch (error) {
    progress(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}

async function main(options: Options): Promise<void> {
  if (options.render) return writeReport(await readResults(docs), docs)
  requireTools()
  const dir = mkdtempSync(join(tmpdir(), 'bench-'))
  cleanUpOnTheWayOut(dir)
  // The harness must not run on the core where the proxies are measured.
  spawnSync('taskset', ['-a', '-c', '-p', String(loadCore), String(process.pid)])
  const results = await measureAll(options, dir)
  if (!options.complete) return void process.stdout.write(shortReport(results))
  await writeReport(results, docs)
  progress('wrote docs/benchmarks.md, docs/benchmarks.svg and docs/benchmarks.json')
}

async function measureAll(options: Options, dir: string): Promise<Results> {
  const { rounds, seconds } = options
  const machine = describeMachine()
  if ((loadavg()[0] ?? 0) > quietLoad) progress('other programs are busy on this machine, so the figures will vary')
  const [taking, skipped] = takingPart(options, dir)
  const ports = { http1: await freePort(), http2: await freePort() }
  const backendDir = join(dir, 'backend')
  mkdirSync(backendDir)
  const backend = await startBackend(ports, backendDir)
  const results: ScenarioResult[] = []
  for (const scenario of options.scenarios) {
    const peers = taking.filter(
      ({ name, onlyNamed }) => scenario.peers?.includes(name.split('@')[0]!) ?? onlyNamed !== true,
    )
    const result = await runScenario(scenario, { peers, backend: ports, dir, rounds, seconds, progress })
    results.push(result)
  }
  await stop(backend)
  return {
    date: new Date().toISOString(),
    machine,
    versions: [...taking.map(versionRow), ...toolVersions()],
    skipped,
    rounds,
    seconds,
    subject,
    baselines: ['nginx', ...(options.against === undefined ? [] : [`Sallyport@${options.against}`])],
    scenarios: results,
  }
}

/** The peers that are installed, and the names of those that are not. */
function takingPart({ peers, against }: Options, dir: string): [Peer[], string[]] {
  const versions = against === undefined ? peers : peers.filter(({ name }) => name === 'nginx' || name === subject)
  const wanted = against === undefined ? versions : [...versions, sallyportAt(against, projectRoot, dir)]
  const missing = wanted.filter((peer) => peer.version() === undefined).map(({ name }) => name)
  for (const name of missing) progress(`${name} is not installed, so it is skipped; bench/setup installs it`)
  return [wanted.filter(({ name }) => !missing.includes(name)), missing]
}

function versionRow(peer: Peer): [string, string] {
  const commit = peer.name === subject ? describeCommit(projectRoot) : ''
  return [peer.name, [peer.version() ?? '', commit].join(' ').trim()]
}

function requireTools(): void {
  const missing = ['taskset', 'nginx', 'wrk', 'h2load', 'openssl'].filter((name) => findProgram(name) === undefined)
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')}; run bench/setup, as root on Debian`)
  if (availableParallelism() < 2) throw new Error('two cores are needed, one for the proxy and one for the load')
}

function cleanUpOnTheWayOut(dir: string): void {
  process.on('exit', () => {
    stopAll()
    rmSync(dir, { recursive: true, force: true })
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}
