import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { send } from './support/client.ts'
import { run, startCommand, temporaryFile } from './support/command.ts'
import { runHere } from './support/run-here.ts'
import { shared } from './support/shared.ts'

/** A policy that does what the query of a request asks for. */
const CHAOS = `
import { definePolicy, Reply, z } from 'sallyport'

const acts: Record<string, () => unknown> = {
  throw: () => { throw new Error('broken on purpose') },
  reject: () => Promise.reject(new Error('broken on purpose')),
  nothing: () => undefined,
  'unawaited rejection': () => void Promise.reject(new Error('left behind')),
  'unawaited timer': () => void setTimeout(() => { throw new Error('left behind') }, 0),
  'unawaited fetch': () => void fetch('http://127.0.0.1:1/'),
}

export default definePolicy({
  name: 'chaos',
  summary: 'Breaks what it can.',
  options: z.strictObject({ mark: z.string() }),
  create: ({ mark }) => (next) => (exchange) => {
    const act = acts[new URLSearchParams(exchange.query).get('act') ?? '']
    if (act !== undefined && exchange.path === '/instead') return act() as Reply
    act?.()
    exchange.headers.set('X-Mark', mark)
    return next(exchange)
  },
})
`

/** A configuration file with further files in the same folder. */
async function files(t: TestContext, yaml: string, others: Readonly<Record<string, string>>): Promise<string> {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml)
  for (const [name, content] of Object.entries(others)) await writeFile(join(dirname(file), name), content)
  return file
}

const YAML = `
listeners: [{ address: 127.0.0.1:0 }]
workers: 1
ownPolicies: [./chaos.ts]
policies: { chaos: { mark: a } }
admin: false
routes:
  - { id: all, match: { path: /* }, reply: { body: hello } }
  - { id: off, match: { path: /off }, reply: { body: off }, policies: { chaos: false } }
`

const openChaos = shared(async (t) => startCommand(t, await files(t, YAML, { 'chaos.ts': CHAOS })))

test('a custom policy that fails in a worker causes a problem document and a log line with its name', async () => {
  const { command, port } = await openChaos()
  for (const [i, act] of ['throw', 'reject', 'nothing'].entries()) {
    const reply = await send(port, { path: `/instead?act=${act}` })
    assert.equal(reply.status, 500, act)
    assert.equal(reply.headers['content-type'], 'application/problem+json')
    assert.doesNotMatch(reply.text, /purpose|chaos/)
    const line = (await command.lines('Request failed in the gateway', i + 1))[i]
    assert.match(JSON.stringify(line?.['error']), /policy \\"chaos\\" failed/, act)
    assert.equal((await send(port, { path: `/off?act=${act}` })).text, 'off')
  }
})

test('an unhandled error of a custom policy is logged with its name, and the worker keeps running', async () => {
  const { command, port } = await openChaos()
  for (const [i, act] of ['unawaited rejection', 'unawaited timer', 'unawaited fetch'].entries()) {
    assert.equal((await send(port, { path: `/?act=${encodeURIComponent(act)}` })).text, 'hello', act)
    const line = (await command.lines('A policy has left an error unhandled', i + 1))[i]
    assert.equal(line?.['policy'], 'chaos', act)
    assert.equal((await send(port)).text, 'hello')
  }
  assert.ok(!command.log.some(({ message }) => String(message).startsWith('A worker died')))
})

test('check lists custom policies at their places in the chain', async (t) => {
  const tenant = fileURLToPath(new URL('../examples/policies/tenant.ts', import.meta.url))
  const file = await files(
    t,
    YAML.replace('[./chaos.ts]', `[./chaos.ts, { file: ${tenant}, before: chaos }]`).replace(
      'mark: a }',
      'mark: a }, tenant: { tenants: [a] }, transform: {}',
    ),
    { 'chaos.ts': CHAOS },
  )
  const { stdout, stderr } = await runHere(['check', file])
  assert.equal(stderr, '')
  assert.match(stdout, /transform, tenant, chaos +all/)
  assert.match(stdout, /transform, tenant +off/)
})

test('options of custom policies are checked, and problems have their places', async (t) => {
  const yaml = YAML.replace('{ chaos: { mark: a } }', '{ chaos: { marc: 1 } }')
  const { code, stderr } = await runHere(['check', await files(t, yaml, { 'chaos.ts': CHAOS })])
  assert.equal(code, 1)
  assert.match(stderr, /sallyport\.yaml:5:\d+: policies\.chaos\.mark: missing/)
  assert.match(stderr, /sallyport\.yaml:5:\d+: policies\.chaos\.marc: unknown key "marc"; did you mean "mark"\?/)
})

for (const [what, entry, content, message] of [
  [
    'does not exist',
    './none.ts',
    '',
    /ownPolicies\[0\]: "\.\/none\.ts" cannot be loaded: there is no file \/.*none\.ts/,
  ],
  ['throws', './chaos.ts', 'throw new Error("broken")', /cannot be loaded: broken \(\/.*chaos\.ts:1:7\)/],
  [
    'imports another without its extension',
    './chaos.ts',
    `import './helper'\n${CHAOS}`,
    /cannot be loaded: Cannot find module .*: import it with the name of its file, helper\.ts/,
  ],
  [
    'imports another with the extension that it would have as JavaScript',
    './chaos.ts',
    `import './helper.js'\n${CHAOS}`,
    /cannot be loaded: Cannot find module .*: import it with the name of its file, helper\.ts/,
  ],
  ['exports no policy', './chaos.ts', 'export default {}', /has no policy as its default export/],
  [
    'misspells a member that policies need',
    './chaos.ts',
    CHAOS.replace('  create', '  craete'),
    /has a policy with the member "craete", which policies do not have; did you mean "create"\?/,
  ],
  [
    'lacks a member that policies need',
    './chaos.ts',
    CHAOS.replace(/summary: .*/, ''),
    /has a policy without a text as "summary"/,
  ],
  [
    'has no policy of that name',
    '{ file: ./chaos.ts, name: chaso }',
    CHAOS,
    /has no policy "chaso"; did you mean "chaos"\?/,
  ],
  [
    'has a name that is taken',
    './chaos.ts',
    CHAOS.replace("'chaos'", "'auth'"),
    /contains a policy "auth", which already exists/,
  ],
  ['has an invalid name', './chaos.ts', CHAOS.replace("'chaos'", "'My Policy'"), /expected a name such as/],
  ['has no position', '{ file: ./chaos.ts, after: aut }', CHAOS, /unknown policy "aut"; did you mean "auth"\?/],
  ['has two positions', '{ file: ./chaos.ts, after: auth, before: auth }', CHAOS, /both before and after/],
  [
    'turns its options into functions',
    './chaos.ts',
    CHAOS.replace('mark: z.string()', 'mark: z.string().transform((text) => () => text)'),
    /policies\.chaos: the schema of its options produces something other than plain data/,
  ],
] as const)
  test(`a file that ${what} is a configuration problem with its place`, async (t) => {
    const yaml = YAML.replace('[./chaos.ts]', `[${entry}]`)
    const path = await files(t, yaml, { 'chaos.ts': content, 'helper.ts': 'export {}' })
    const { code, stderr } = await runHere(['check', path])
    assert.equal(code, 1)
    assert.match(stderr, message)
    assert.match(stderr, /sallyport\.yaml:\d+:\d+: /)
  })

for (const command of ['check', 'start'])
  test(`a file that never finishes loading is a configuration problem for ${command}`, async (t) => {
    const path = await files(t, YAML, { 'chaos.ts': 'await new Promise(() => {})' })
    const { code, stderr } = await run([command, '--config', path])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^\S+sallyport\.yaml:\d+:\d+: ownPolicies\[0\]: "\.\/chaos\.ts" cannot be loaded: it never finishes loading/,
    )
  })
