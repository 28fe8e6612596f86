/**
 * Checks the layers of src: which part may import which, that there are no import cycles, that only a policy's own files refer to it, and
 * that only the wires and what they share write line ends of the wire. Prints every violation and exits with 1.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A folder or file of src, and what it may import in addition to itself and packages: folders, or single files in them. */
export type Layer = readonly [part: string, imports: readonly string[]]

/** From lowest to highest: each may import only earlier ones. */
export const layers: readonly Layer[] = [
  ['core', []],
  ['grpc', ['core']],
  ['http', ['core', 'grpc']],
  ['tls', ['core']],
  ['proxy-protocol', ['core', 'http']],
  ['http1', ['core', 'http']],
  ['http2', ['core', 'http']],
  ['files', ['core', 'http']],
  ['telemetry', ['core', 'grpc', 'http']],
  ['regexp', []],
  ['routing', ['core', 'http', 'regexp']],
  ['openapi', ['core', 'routing/path.ts']],
  ['redis', ['core', 'tls/outgoing.ts']],
  ['openid', ['core', 'tls/outgoing.ts', 'tls/pem-schema.ts', 'tls/tls-failure.ts']],
  ['acme', ['core', 'tls', 'redis']],
  ['listener', ['core', 'http', 'tls', 'proxy-protocol', 'http1', 'http2']],
  [
    'services',
    [
      'core',
      'grpc',
      'http',
      'tls/connect-securely.ts',
      'tls/outgoing.ts',
      'proxy-protocol/written-header.ts',
      'http1',
      'http2',
    ],
  ],
  ['overload', ['core', 'services/concurrency/priority.ts']],
  [
    'policies',
    [
      'core',
      'grpc',
      'http',
      'tls/pem-schema.ts',
      'routing/candidate.ts',
      'routing/path.ts',
      'routing/router.ts',
      'routing/pattern-schema.ts',
      'openapi',
      'regexp',
      'redis',
      'openid',
    ],
  ],
  [
    'config',
    [
      'core',
      'http',
      'openid/http-url.ts',
      'openid/provider-options.ts',
      'tls/client-authorities.ts',
      'tls/judge-outgoing.ts',
      'tls/key-pair.ts',
      'tls/outgoing.ts',
      'tls/pem-schema.ts',
      'tls/read-pem.ts',
      'files/schema.ts',
      'telemetry/redact.ts',
      'regexp',
      'routing',
      'acme/challenge.ts',
      'overload/index.ts',
      'services/balancers/index.ts',
      'services/concurrency/index.ts',
      'services/concurrency/priority.ts',
      'services/discovery/index.ts',
      'services/hedge/index.ts',
      'services/passive/index.ts',
      'services/retry/index.ts',
      'services/slow-start/index.ts',
      'services/split/split-schema.ts',
      'services/sticky/cookie.ts',
      'services/sticky/index.ts',
      'policies',
    ],
  ],
  [
    'import',
    [
      'core',
      'regexp',
      'routing',
      'openapi',
      'policies/origins.ts',
      'policies/auth/keys.ts',
      'config/addresses.ts',
      'config/merge-keys.ts',
      'config/problems.ts',
    ],
  ],
  ['api-docs', ['core', 'http', 'routing', 'openapi', 'policies', 'config']],
  [
    'front',
    [
      'core',
      'http',
      'tls',
      'proxy-protocol',
      'files',
      'telemetry',
      'routing',
      'redis',
      'acme',
      'listener',
      'services',
      'overload',
      'policies',
      'config',
      'api-docs',
    ],
  ],
  [
    'runtime',
    ['core', 'http', 'tls', 'telemetry', 'redis', 'acme', 'listener', 'services', 'policies', 'config', 'front'],
  ],
  ['replay', ['core', 'http', 'telemetry', 'routing', 'policies', 'config', 'front']],
  ['console', []],
  [
    'admin',
    [
      'core',
      'http',
      'openid',
      'telemetry',
      'listener/trusted-proxies.ts',
      'services',
      'policies',
      'config',
      'front',
      'runtime',
      'console',
    ],
  ],
  ['workers', ['core', 'http', 'telemetry', 'listener', 'services', 'policies', 'config', 'front', 'runtime']],
  ['gateway.ts', ['core', 'http', 'telemetry', 'policies', 'config', 'front', 'runtime', 'admin', 'workers']],
  ['testing', ['core', 'http', 'telemetry', 'policies', 'config', 'gateway.ts']],
  ['testing.ts', ['testing']],
  [
    'commands',
    [
      'core',
      'tls',
      'telemetry',
      'redis',
      'policies',
      'config',
      'import',
      'front',
      'runtime',
      'replay',
      'console/patch.ts',
      'admin',
      'workers',
    ],
  ],
  ['main.ts', ['commands', 'workers']],
]

/** The files that assemble the policies, which refer to all of them. */
const FAMILY: ReadonlySet<string> = new Set([
  'policies/index.ts',
  'policies/policy.ts',
  'policies/operators.ts',
  'policies/process-stores.ts',
  'policies/generation-stores.ts',
])

/** Others that refer to a policy, and to which of its files: its commands, and code that one policy shares with another. */
export const acquaintances: Readonly<Record<string, readonly string[]>> = {
  'admin/keys/endpoints.ts': [
    'policies/auth/api-key/key-connection.ts',
    'policies/auth/api-key/key-entry.ts',
    'policies/auth/api-key/key-request.ts',
    'policies/auth/api-key/managed-keys.ts',
    'policies/auth/api-key/operators.ts',
  ],
  'admin/keys/list-keys.ts': [
    'policies/auth/api-key/api-key-store.ts',
    'policies/auth/api-key/key-entry.ts',
    'policies/auth/api-key/key-place.ts',
    'policies/auth/api-key/key-ring.ts',
    'policies/auth/api-key/managed-keys.ts',
    'policies/auth/api-key/topics.ts',
  ],
  'admin/keys/schemas.ts': ['policies/auth/api-key/managed-keys.ts'],
  'admin/keys/written-keys.ts': ['policies/auth/api-key/key-place.ts'],
  'commands/cache.ts': ['policies/cache/purge.ts'],
  'commands/key-hints.ts': ['policies/auth/api-key/key-place.ts'],
  'commands/keys-create.ts': [
    'policies/auth/api-key/api-key-store.ts',
    'policies/auth/api-key/key-entry.ts',
    'policies/auth/api-key/key-request.ts',
    'policies/auth/api-key/key-ring.ts',
  ],
  'commands/keys-rotate.ts': [
    'policies/auth/api-key/key-entry.ts',
    'policies/auth/api-key/key-request.ts',
    'policies/auth/api-key/managed-keys.ts',
  ],
  'commands/managed-keys.ts': [
    'policies/auth/api-key/key-connection.ts',
    'policies/auth/api-key/key-request.ts',
    'policies/auth/api-key/managed-keys.ts',
  ],
  'import/kong/consumers.ts': ['policies/auth/keys.ts'],
  'policies/auth/count-refusals.ts': ['policies/rate-limit/failure-limit.ts'],
  'policies/cdn/policy.ts': ['policies/cache/purge.ts'],
  'policies/cdn/purge-hook.ts': ['policies/cache/purge.ts'],
  'policies/cdn/reply-fields.ts': ['policies/cache/directives.ts', 'policies/cache/storable.ts'],
  'policies/idempotency/policy.ts': ['policies/rate-limit/client-name.ts'],
  'policies/auth/policy.ts': ['policies/rate-limit/failure-limit.ts', 'policies/rate-limit/rate.ts'],
}

/** Relative specifiers of import and export declarations, import() and new URL(…) as passed to worker threads. */
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)'(\.{1,2}\/[^']+)'/g

/** The parts that write to connections, and what they share. */
const WIRES = ['http/', 'http1/', 'http2/', 'proxy-protocol/']

/** The files of src by their paths in it, with slashes. */
export type Sources = ReadonlyMap<string, string>

interface Import {
  /** Path in src; outside it, the path begins with "../". */
  readonly target: string
  readonly line: number
}

/** Line ends of the wire in a file that does not belong to a wire: field lines are made by `http/field-lines.ts`. */
export function lineEnds(file: string, source: string): string[] {
  if (WIRES.some((folder) => file.startsWith(folder))) return []
  return source.split('\n').flatMap((line, index) => {
    if (!line.includes(String.raw`\r\n`)) return []
    return [`src/${file}:${index + 1}: only wires end lines with CR LF: make field lines with src/http/field-lines.ts`]
  })
}

/** The imports of one file that violate the layers, each as a sentence; `file` is relative to src, with slashes. */
export function violations(file: string, source: string): string[] {
  const [part = ''] = file.split('/')
  const allowed = layers.find(([name]) => name === part)?.[1]
  if (allowed === undefined) return [`src/${file}: ${part} has no row in the table of scripts/layers.ts`]
  return importsOf(file, source)
    .filter(({ target }) => !mayImport(part, allowed, target))
    .map(({ target, line }) => `src/${file}:${line}: ${part} may not import ${posix.join('src', target)}`)
}

/** Rows of the table that let a part import a later one, each as a sentence. */
export function upward(table: readonly Layer[]): string[] {
  const parts = table.map(([part]) => part)
  return table.flatMap(([part, imports], i) =>
    imports
      .filter((each) => !parts.slice(0, i).includes(each.split('/')[0] ?? ''))
      .map((each) => `scripts/layers.ts: ${part} may import ${each}, which does not stand before it`),
  )
}

/** Import cycles, including imports of types: each cycle as a sentence. */
export function circles(sources: Sources): string[] {
  const imports = new Map(
    Array.from(sources, ([file, source]) => [file, new Set(importsOf(file, source).map(({ target }) => target))]),
  )
  const reached = new Map(Array.from(imports.keys(), (file) => [file, reachable(file, imports)]))
  const known = new Set<string>()
  return Array.from(imports.keys()).flatMap((file) => {
    if (known.has(file) || reached.get(file)?.has(file) !== true) return []
    const circle = [...(reached.get(file) ?? [])].filter((other) => reached.get(other)?.has(file) === true)
    for (const each of circle) known.add(each)
    return [`a circle of imports: ${circle.map((each) => `src/${each}`).join(', ')}`]
  })
}

/** Imports of a policy's files by others, each as a sentence, and obsolete entries of `acquaintances`. */
export function strangers(sources: Sources): string[] {
  const policies = importsOf('policies/index.ts', sources.get('policies/index.ts') ?? '')
    .map(({ target }) => target)
    .filter((target) => target !== 'policies/policy.ts')
  const homes = policies.map((target) => (target.split('/').length > 2 ? `${posix.dirname(target)}/` : target))
  const homeOf = (file: string): string | undefined => homes.find((home) => file.startsWith(home))
  const known = new Set<string>()
  const found = Array.from(sources).flatMap(([file, source]) => {
    if (FAMILY.has(file)) return []
    return importsOf(file, source).flatMap(({ target, line }) => {
      const home = homeOf(target)
      if (home === undefined || home === homeOf(file)) return []
      known.add(`${file} ${target}`)
      if (acquaintances[file]?.includes(target) === true) return []
      return [`src/${file}:${line}: only ${home} may know src/${target}`]
    })
  })
  const gone = Object.entries(acquaintances).flatMap(([file, targets]) =>
    targets
      .filter((target) => !known.has(`${file} ${target}`))
      .map((target) => `scripts/layers.ts: src/${file} does not import src/${target} any more`),
  )
  return [...found, ...gone]
}

function importsOf(file: string, source: string): Import[] {
  return Array.from(source.matchAll(SPECIFIER), (match) => ({
    target: posix.join(posix.dirname(file), match[1] ?? ''),
    line: source.slice(0, match.index).split('\n').length,
  }))
}

function mayImport(part: string, allowed: readonly string[], target: string): boolean {
  if (target.startsWith('../')) return !target.endsWith('.ts')
  const [targetPart = ''] = target.split('/')
  return targetPart === part || allowed.includes(targetPart) || allowed.includes(target)
}

/** Everything that is imported from there, directly or indirectly. */
function reachable(start: string, imports: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const found = new Set<string>()
  const left = [start]
  for (let file = left.pop(); file !== undefined; file = left.pop())
    for (const target of imports.get(file) ?? []) {
      if (found.has(target)) continue
      found.add(target)
      left.push(target)
    }
  return found
}

/** The files of src except tests. */
export function readSources(): Sources {
  const src = join(import.meta.dirname, '../src')
  return new Map(
    globSync('**/*.ts', { cwd: src, exclude: ['**/*.test.ts'] }).map((file) => [
      file.replaceAll('\\', '/'),
      readFileSync(join(src, file), 'utf8'),
    ]),
  )
}

if (import.meta.main) {
  const sources = readSources()
  const found = [
    ...Array.from(sources, ([file, source]) => violations(file, source).concat(lineEnds(file, source))).flat(),
    ...upward(layers),
    ...circles(sources),
    ...strangers(sources),
  ]
  for (const violation of found) console.log(violation)
  process.exitCode = found.length === 0 ? 0 : 1
}
