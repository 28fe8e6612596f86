import assert from 'node:assert/strict'
import test from 'node:test'
import { lineEnds, violations } from './layers.ts'

test('a folder may import itself, packages and the layers below it', () => {
  const source = `import { z } from 'zod'
import net from 'node:net'
import { parse } from './parse.ts'
import type { Clock } from '../core/clock.ts'
import manifest from '../../package.json' with { type: 'json' }`
  assert.deepEqual(violations('http1/server.ts', source), [])
})

test('an import of a layer above is named with its file and line', () => {
  assert.deepEqual(violations('core/reply.ts', `\nimport { Parser } from '../http1/parser.ts'`), [
    'src/core/reply.ts:2: core may not import src/http1/parser.ts',
  ])
})

const forbidden: readonly [file: string, statement: string][] = [
  ['policies/auth/jwt.ts', `import { Pool } from '../../services/pool.ts'`],
  ['services/forward.ts', `export { x } from '../policies/index.ts'`],
  ['routing/router.ts', `import '../redis/client.ts'`],
  ['config/load.ts', `const { cors } = await import('../policies/cors.ts')`],
  ['workers/worker-fleet.ts', `import { run } from '../main.ts'`],
  ['front/front.ts', `new Worker(new URL('../workers/thread.ts', import.meta.url))`],
  ['listener/tcp.ts', `import { server } from '../../test/support/server.ts'`],
  ['http1/wire.ts', `import {\n  a,\n  b,\n} from '../routing/router.ts'`],
]
for (const [file, statement] of forbidden) {
  test(`${file} may not say ${statement.replaceAll('\n', ' ')}`, () => {
    assert.equal(violations(file, statement).length, 1)
  })
}

test('single files of a layer can be open to another one', () => {
  assert.deepEqual(violations('config/schema.ts', `import { policies } from '../policies/index.ts'`), [])
})

test('a folder without a row in the table is reported', () => {
  assert.match(violations('plugins/x.ts', '')[0] ?? '', /plugins has no row/)
})

test('only the wires, and what they share, have line ends of the wire', () => {
  const source = '\nconst line = `X-A: ${a}\\r\\n`'
  assert.match(lineEnds('policies/x.ts', source).join(), /^src\/policies\/x\.ts:2: only wires end lines with CR LF/)
  for (const file of ['http/headers.ts', 'http1/reply-head.ts', 'proxy-protocol/version-2.ts'])
    assert.deepEqual(lineEnds(file, source), [])
})
