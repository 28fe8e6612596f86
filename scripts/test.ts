/** Runs the tests that every change has to pass, the slow ones with --slow, or the files named as arguments. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quickFiles, slowFiles, writeGroups } from './test-groups.ts'
import { ensureServers } from './test-servers.ts'

const root = join(import.meta.dirname, '..')

/** The wires and the router are held to 95% of lines; a file that no test loads counts with none. */
const coverage = [
  '--experimental-test-coverage',
  '--test-coverage-include=src/http/**',
  '--test-coverage-include=src/http1/**',
  '--test-coverage-include=src/http2/**',
  '--test-coverage-include=src/routing/**',
  '--test-coverage-exclude=**/*.test.ts',
  '--test-coverage-include-all',
  '--test-coverage-lines=95',
]

/** For every process of the run, also those that tests start. */
const usualPorts = `--import=${new URL('usual-ports.js', import.meta.url).href}`

/** How many times as many cases the properties have in the slow run. */
const MORE_CASES = '5'

let folders: string[] = []
try {
  folders = ensureServers()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
process.exit(runChosen(process.argv.slice(2)))

function runChosen(args: readonly string[]): number {
  if (args[0] === '--slow') return run(slowFiles(root), { SALLYPORT_TEST_CASES: MORE_CASES })
  if (args.length > 0) return run(args)
  const { folder, modules } = writeGroups(root, quickFiles(root))
  try {
    return run(process.env['CI'] === undefined ? modules : [...coverage, ...modules])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs those files, each in a process of its own; returns what the run exits with. */
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
      // Longer than tests wait for what must come, so that they can say what did not.
      '--test-timeout=180000',
      ...files,
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        ...env,
        NODE_OPTIONS: [process.env['NODE_OPTIONS'], usualPorts].filter(Boolean).join(' '),
        // What one process compiles is kept for the next, which may be a gateway that a test starts.
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
        PATH: [...folders, process.env['PATH']].join(delimiter),
      },
      stdio: 'inherit',
    },
  )
  return status ?? 1
}
