/** Runs the tests, all of them with coverage, or the files named as arguments. */
import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { ensureServers } from './test-servers.ts'

const everything = [
  'src/**/*.test.ts',
  'test/**/*.test.ts',
  'examples/**/*.test.ts',
  'bench/**/*.test.ts',
  'scripts/**/*.test.ts',
]

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

const chosen = process.argv.slice(2)

let folders: string[] = []
try {
  folders = ensureServers()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

const { status } = spawnSync(
  process.execPath,
  [
    `--import=${new URL('left-open.ts', import.meta.url).href}`,
    '--test',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('silence-reporter.ts', import.meta.url).href}`,
    '--test-reporter-destination=stderr',
    '--test-concurrency=2',
    '--test-timeout=60000',
    ...(chosen.length === 0 ? [...coverage, ...everything] : chosen),
  ],
  {
    cwd: join(import.meta.dirname, '..'),
    env: {
      ...process.env,
      NODE_OPTIONS: [process.env['NODE_OPTIONS'], usualPorts].filter(Boolean).join(' '),
      // Each file is a process of its own, as is each gateway that it starts: what they compile is kept for the next.
      NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/compiled'),
      PATH: [...folders, process.env['PATH']].join(delimiter),
    },
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
