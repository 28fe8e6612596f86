/** All checks that do not run the gateway, fastest first; stops at the first failure. */
import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const env = { ...process.env, PATH: join(root, 'node_modules/.bin') + delimiter + (process.env['PATH'] ?? '') }

const steps: readonly [name: string, command: string, ...args: string[]][] = [
  ['format', 'oxfmt', '--check'],
  ['lint', 'oxlint'],
  ['types', 'tsc', '-p', '.', ...incremental('project')],
  ['console', 'tsc', '-p', 'src/console', ...incremental('console')],
  ['dead code', 'knip', '--no-progress'],
  ['layers', process.execPath, 'scripts/layers.ts'],
  ['schema', process.execPath, 'scripts/schema.ts', '--check'],
  ['dashboards', process.execPath, 'scripts/dashboards.ts', '--check'],
]

for (const [name, command, ...args] of steps) {
  const start = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  if (status === 0) {
    console.log(`${name.padEnd(10)} ok      ${seconds} s`)
    continue
  }
  console.log(`${name.padEnd(10)} failed  ${seconds} s  (${[command, ...args].join(' ')})`)
  console.log(error === undefined ? stdout + stderr : error.message)
  process.exit(1)
}

/** Options of tsc that check only what changed since the last time. */
function incremental(name: string): string[] {
  return ['--incremental', '--tsBuildInfoFile', `node_modules/.cache/tsc/${name}.tsbuildinfo`]
}
