/** Runs the tests that every change has to pass, the slow ones with --slow, or the files given as arguments. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quickFiles, quickSizes, type Sizes, slowFiles, slowSizes, writeGroups } from './test-groups.ts'
import { ensureServers } from './test-servers.ts'

const root = join(import.meta.dirname, '..')

/** The wires and the router must reach 95% line coverage; a file that no test loads counts as uncovered. */
const coverage = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/http/**',
  '--test-coverage-include=src/http1/**',
  '--test-coverage-include=src/http2/**',
  '--test-coverage-include=src/routing/**',
  '--test-coverage-exclude=**/*.test.ts',
  '--test-coverage-include-all',
  '--test-coverage-lines=95',
  `--import=${new URL('coverage-here.ts', import.meta.url).href}`,
]

/** For every process of the run, including those that tests start. */
const usualPorts = `--import=${new URL('usual-ports.js', import.meta.url).href}`

/** For whole runs; files given as arguments draw new cases each time. */
const fixedSeed = `--import=${new URL('fixed-seed.ts', import.meta.url).href}`

/** The factor for the number of property test cases in the slow run. */
const MORE_CASES = '3'

let folders: string[] = []
try {
  folders = ensureServers()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
process.exit(runChosen(process.argv.slice(2)))

function runChosen(args: readonly string[]): number {
  if (args[0] === '--slow') return runGroups(slowFiles(root), slowSizes, [], { SALLYPORT_TEST_CASES: MORE_CASES })
  if (args.length > 0) return run(args)
  return runGroups(quickFiles(root), quickSizes, process.env['CI'] === undefined ? [] : coverage)
}

/** Runs those files, several in a process; returns the exit code. */
function runGroups(
  files: readonly string[],
  sizes: Sizes,
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
): number {
  const { folder, modules } = writeGroups(root, files, sizes)
  try {
    return run([fixedSeed, ...options, ...modules], env)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs those files, each in a separate process; returns the exit code. */
function run(files: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const { status } = spawnSync(
    process.execPath,
    [
      `--import=${new URL('left-open.ts', import.meta.url).href}`,
      '--test',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${new URL('silence-reporter.ts', import.meta.url).href}`,
      '--test-reporter-destination=stderr',
      '--test-concurrency=3',
      // Longer than the timeouts inside tests, so that a test can report what did not happen.
      '--test-timeout=180000',
      ...files,
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        ...env,
        NODE_OPTIONS: [process.env['NODE_OPTIONS'], usualPorts].filter(Boolean).join(' '),
        // Compiled code is cached for later processes, including gateways that tests start.
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
        PATH: [...folders, process.env['PATH']].join(delimiter),
      },
      stdio: 'inherit',
    },
  )
  return status ?? 1
}
