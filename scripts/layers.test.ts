import assert from 'node:assert/strict'
import test from 'node:test'
import { acquaintances, circles, layers, lineEnds, readSources, strangers, upward, violations } from './layers.ts'

test('a folder may import itself, packages and lower layers', () => {
  const source = `import { z } from 'zod'
import net from 'node:net'
import { parse } from './parse.ts'
import type { Clock } from '../core/clock.ts'
import manifest from '../../package.json' with { type: 'json' }`
  assert.deepEqual(violations('http1/server.ts', source), [])
})

test('an import of a higher layer is reported with its file and line', () => {
  assert.deepEqual(violations('core/reply.ts', `\nimport { Parser } from '../http1/parser.ts'`), [
    'src/core/reply.ts:2: core may not import src/http1/parser.ts',
  ])
})

const forbidden: readonly [file: string, statement: string][] = [
  ['policies/auth/jwt.ts', `import { Pool } from '../../services/pool.ts'`],
  ['services/forward.ts', `export { x } from '../policies/index.ts'`],
  ['routing/router.ts', `import '../redis/client.ts'`],
  ['config/load.ts', `const { run } = await import('../runtime/fleet.ts')`],
  ['workers/worker-fleet.ts', `import { run } from '../main.ts'`],
  ['front/front.ts', `new Worker(new URL('../workers/thread.ts', import.meta.url))`],
  ['listener/tcp.ts', `import { server } from '../../test/support/server.ts'`],
  ['http1/wire.ts', `import {\n  a,\n  b,\n} from '../routing/router.ts'`],
]
for (const [file, statement] of forbidden) {
  test(`${file} may not contain ${statement.replaceAll('\n', ' ')}`, () => {
    assert.equal(violations(file, statement).length, 1)
  })
}

test('single files of a layer can be open to another layer', () => {
  assert.deepEqual(violations('config/schema.ts', `import { balancers } from '../services/balancers/index.ts'`), [])
  assert.equal(violations('config/schema.ts', `import { Service } from '../services/service.ts'`).length, 1)
})

test('a folder without a row in the table is reported', () => {
  assert.match(violations('plugins/x.ts', '')[0] ?? '', /plugins has no row/)
})

test('only the wires, and the code they share, contain CR LF', () => {
  const source = '\nconst line = `X-A: ${a}\\r\\n`'
  assert.match(lineEnds('policies/x.ts', source).join(), /^src\/policies\/x\.ts:2: only wires end lines with CR LF/)
  for (const file of ['http/headers.ts', 'http1/reply-head.ts', 'proxy-protocol/version-2.ts'])
    assert.deepEqual(lineEnds(file, source), [])
})

test('each row of the table names only earlier rows', () => {
  assert.deepEqual(upward(layers), [])
  assert.deepEqual(
    upward([
      ['core', ['http/body.ts']],
      ['http', ['core', 'http']],
    ]),
    [
      'scripts/layers.ts: core may import http/body.ts, which does not stand before it',
      'scripts/layers.ts: http may import http, which does not stand before it',
    ],
  )
})

test('circular imports are reported, including those of types', () => {
  const straight = [
    ['core/a.ts', `import { b } from './b.ts'`],
    ['core/b.ts', `import { c } from '../http/c.ts'`],
    ['http/d.ts', `import { a } from '../core/a.ts'`],
  ] as const
  assert.deepEqual(circles(new Map([...straight, ['http/c.ts', '']])), [])
  assert.deepEqual(circles(new Map([...straight, ['http/c.ts', `import type { A } from '../core/a.ts'`]])), [
    'a circle of imports: src/core/b.ts, src/http/c.ts, src/core/a.ts',
  ])
  assert.equal(circles(new Map([['core/a.ts', `import { a } from './a.ts'`]])).length, 1)
})

const list = `import type { Policy } from './policy.ts'
import { auth } from './auth/policy.ts'
import { cors } from './cors.ts'`

/** The sources of the list, of one more file, and of those that know a policy. */
function withFile(file: string, source: string): Map<string, string> {
  const placed = Object.entries(acquaintances).map(([each, targets]) => {
    const root = '../'.repeat(each.split('/').length - 1)
    return [each, targets.map((target) => `import '${root}${target}'`).join('\n')] as const
  })
  return new Map([
    ['policies/index.ts', `${list}\nimport { a } from './rate-limit/policy.ts'\nimport { b } from './cache/policy.ts'`],
    ...placed,
    [file, source],
  ])
}

const knowing: readonly [file: string, statement: string][] = [
  ['config/load.ts', `import { cors } from '../policies/cors.ts'`],
  ['front/front.ts', `\nimport type { Keys } from '../policies/auth/keys.ts'`],
  ['policies/template.ts', `import { claim } from './auth/claims.ts'`],
  ['policies/cors.ts', `import { claim } from './auth/claims.ts'`],
  ['commands/cache.ts', `import { purge } from '../policies/cache/invalidator.ts'`],
]
for (const [file, statement] of knowing) {
  test(`${file} may not import from a policy with ${statement.trim()}`, () => {
    assert.ok(strangers(withFile(file, statement)).some((each) => /: only .* may know/.test(each)))
  })
}

test('a policy may import itself, and any file may import what all policies share', () => {
  assert.deepEqual(strangers(withFile('policies/auth/jwt.ts', `import { keys } from './keys.ts'`)), [])
  assert.deepEqual(strangers(withFile('front/front.ts', `import type { Policy } from '../policies/policy.ts'`)), [])
  assert.deepEqual(strangers(withFile('policies/auth/jwt.ts', `import { field } from '../field-name.ts'`)), [])
})

test('a listed exception that no longer imports the policy is reported', () => {
  const [gone] = strangers(withFile('commands/cache.ts', ''))
  assert.match(gone ?? '', /src\/commands\/cache\.ts does not import src\/policies\/cache\/purge\.ts any more/)
})

test('every file of src is read', () => {
  const sources = readSources()
  for (const file of ['main.ts', 'policies/index.ts', 'policies/auth/policy.ts']) assert.ok(sources.has(file), file)
  assert.ok(!sources.has('policies/cors.test.ts'))
})
