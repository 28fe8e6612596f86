/**
 * Holds the layers of src: which part may import which, and that only the wires and what they share write line ends of the
 * wire. Prints whatever breaks that and exits 1.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** What each folder or file of src may import besides itself and packages: folders, single files, or all but some. */
const layers: Readonly<Record<string, readonly string[] | { readonly allBut: readonly string[] }>> = {
  core: [],
  http: ['core'],
  http1: ['core', 'http'],
  tls: ['core'],
  redis: ['core', 'tls/outgoing.ts'],
  acme: ['core', 'tls', 'redis'],
  'proxy-protocol': ['core', 'http'],
  listener: ['core', 'http', 'http1', 'tls', 'proxy-protocol'],
  routing: ['core', 'http'],
  policies: [
    'core',
    'http',
    'redis',
    'routing/path.ts',
    'routing/router.ts',
    'routing/pattern-schema.ts',
    'tls/outgoing.ts',
    'tls/pem-schema.ts',
    'tls/tls-failure.ts',
  ],
  services: ['core', 'http', 'http1', 'tls/connect-securely.ts', 'tls/outgoing.ts', 'proxy-protocol/written-header.ts'],
  telemetry: ['core', 'http'],
  admin: { allBut: ['main.ts', 'gateway.ts', 'workers', 'http1', 'listener'] },
  config: [
    'core',
    'http',
    'acme/challenge.ts',
    'routing',
    'policies/field-name.ts',
    'policies/guard.ts',
    'policies/index.ts',
    'policies/policy.ts',
    'services/balancers/index.ts',
    'telemetry/redact.ts',
    'tls/client-authorities.ts',
    'tls/judge-outgoing.ts',
    'tls/key-pair.ts',
    'tls/outgoing.ts',
    'tls/pem-schema.ts',
    'tls/read-pem.ts',
  ],
  'api-docs': ['core', 'http', 'routing', 'config', 'policies/policy.ts', 'policies/policy-docs.ts'],
  front: { allBut: ['main.ts', 'commands', 'gateway.ts', 'workers', 'http1'] },
  runtime: { allBut: ['main.ts', 'commands', 'gateway.ts', 'workers', 'admin', 'http1'] },
  workers: { allBut: ['main.ts', 'commands', 'http1'] },
  commands: { allBut: ['main.ts', 'http1'] },
  testing: { allBut: ['main.ts', 'commands', 'workers', 'http1'] },
  'testing.ts': { allBut: ['main.ts', 'commands', 'workers', 'http1'] },
  'gateway.ts': { allBut: ['main.ts', 'commands', 'http1'] },
  'main.ts': { allBut: [] },
}

/** Relative specifiers of import and export declarations, import() and new URL(…) as worker threads are given it. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)'(\.{1,2}\/[^']+)'/g

/** Those that write what goes over a connection, and what they share. */
const WIRES = ['http/', 'http1/', 'proxy-protocol/']

/** Where one file that is none of a wire has a line end of the wire: field lines are made by `http/field-lines.ts`. */
export function lineEnds(file: string, source: string): string[] {
  if (WIRES.some((folder) => file.startsWith(folder))) return []
  return source.split('\n').flatMap((line, index) => {
    if (!line.includes(String.raw`\r\n`)) return []
    return [`src/${file}:${index + 1}: only wires end lines with CR LF: make field lines with src/http/field-lines.ts`]
  })
}

/** The imports of one file that break the layers, each as a sentence; `file` is relative to src, with slashes. */
export function violations(file: string, source: string): string[] {
  const [part = ''] = file.split('/')
  const allowed = layers[part]
  if (allowed === undefined) return [`src/${file}: ${part} has no row in the table of scripts/layers.ts`]
  const found: string[] = []
  for (const match of source.matchAll(SPECIFIER)) {
    const target = posix.join(posix.dirname(file), match[1] ?? '')
    if (mayImport(part, allowed, target)) continue
    const line = source.slice(0, match.index).split('\n').length
    found.push(`src/${file}:${line}: ${part} may not import ${posix.join('src', target)}`)
  }
  return found
}

function mayImport(part: string, allowed: (typeof layers)[string], target: string): boolean {
  if (target.startsWith('../')) return !target.endsWith('.ts')
  const [targetPart = ''] = target.split('/')
  if (targetPart === part) return true
  if ('allBut' in allowed) return !allowed.allBut.includes(targetPart)
  return allowed.includes(targetPart) || allowed.includes(target)
}

if (import.meta.main) {
  const src = join(import.meta.dirname, '../src')
  const files = globSync('**/*.ts', { cwd: src, exclude: ['**/*.test.ts'] })
  const found = files.flatMap((each) => {
    const file = each.replaceAll('\\', '/')
    const source = readFileSync(join(src, each), 'utf8')
    return violations(file, source).concat(lineEnds(file, source))
  })
  for (const violation of found) console.log(violation)
  process.exitCode = found.length === 0 ? 0 : 1
}
