/** Configurations in TypeScript that list policies as objects: every thread finds them again. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { runHere } from '../support/run-here.ts'

const APPLIED = 'Configuration applied'
const REFUSED = 'Configuration refused: the running one is kept'

/** A policy that adds a mark of its own, and what its options say, to a header of replies. */
const policy = (name: string, mark: string): string => `definePolicy({
  name: '${name}',
  summary: 'Marks replies.',
  options: z.strictObject({ more: z.string().default('') }),
  create: ({ more }) => (next) => editReplies(next, ({ headers }) => headers.append('X-Marks', '${mark}' + more)),
})`

const files = {
  'first.ts': (mark: string) =>
    `import { definePolicy, editReplies, z } from 'sallyport'\nexport default ${policy('first', mark)}\n`,
  'others.ts': (mark: string) =>
    `import { definePolicy, editReplies, z } from 'sallyport'\nexport const second = ${policy('second', mark)}\n`,
  'sallyport.config.ts': (mark: string) => `
import { defineConfig, definePolicy, editReplies, z } from 'sallyport'
import first from './first.ts'
import { second } from './others.ts'

const inline = ${policy('inline', mark)}

export default defineConfig({
  workers: 2,
  admin: { address: '127.0.0.1:0' },
  endpoints: { docs: false, openapi: false },
  listeners: [{ address: '127.0.0.1:0' }],
  ownPolicies: [first, { policy: second, before: 'first' }, inline],
  policies: { first: {}, second: { more: '!' }, inline: {} },
  routes: [
    { id: 'all', match: { path: '/*' }, reply: {} },
    { id: 'few', match: { path: '/few' }, reply: {}, policies: { second: false, first: { more: '?' } } },
  ],
})
`,
}

async function setUp(t: TestContext) {
  const file = await temporaryFile(t, 'sallyport.config.ts', '')
  const write = (name: keyof typeof files, mark: string): Promise<void> =>
    writeFile(join(dirname(file), name), files[name](mark))
  for (const name of ['first.ts', 'others.ts', 'sallyport.config.ts'] as const) await write(name, 'a')
  return { file, write }
}

test('workers run the policies of a list, with the options of each route, and take changes of any file', async (t) => {
  const { file, write } = await setUp(t)
  const preload = new URL('../support/kill-worker.ts', import.meta.url).href
  const { command, port } = await startCommand(t, file, { preload, args: ['--watch'] })
  const marks = async (path = '/'): Promise<unknown> => (await send(port, { path })).headers['x-marks']
  // From the inside out.
  assert.deepEqual([await marks(), await marks('/few')], ['a, a, a!', 'a, a?'])
  await write('first.ts', 'b')
  await command.lines(APPLIED, 1)
  assert.equal(await marks(), 'a, b, a!')
  await write('others.ts', 'c')
  await command.lines(APPLIED, 2)
  assert.equal(await marks(), 'a, b, c!')
  await write('sallyport.config.ts', 'd')
  await command.lines(APPLIED, 3)
  assert.equal(await marks(), 'd, b, c!')

  await writeFile(join(dirname(file), 'others.ts'), 'export const second = { name: "second" }')
  const { problems } = await command.line(REFUSED)
  assert.match(JSON.stringify(problems), /sallyport\.config\.ts.*ownPolicies\[1\]/)
  assert.equal(await marks(), 'd, b, c!')
  for (const deaths of [1, 2]) {
    command.child.kill('SIGUSR2')
    await command.lines('A worker died and is replaced', deaths)
  }
  assert.equal(await marks(), 'd, b, c!', 'new workers have what is in force')
})

test('check and plan know the policies of a list, and which of them a change of a file concerns', async (t) => {
  const { file, write } = await setUp(t)
  const checked = await runHere(['check', file])
  assert.deepEqual([checked.code, checked.stderr], [0, ''])
  assert.match(checked.stdout, /second, first, inline +all/)
  assert.match(checked.stdout, /first, inline +few/)

  const before = join(dirname(file), 'before.config.ts')
  await writeFile(before, (await readFile(file, 'utf8')).replace("'./first.ts'", "'./was.ts'"))
  await writeFile(join(dirname(file), 'was.ts'), files['first.ts']('a'))
  await write('first.ts', 'b')
  const planned = await runHere(['plan', file, '--against', before, '--json'])
  const { changes } = JSON.parse(planned.stdout) as { changes: readonly { path: string }[] }
  const paths = changes.map(({ path }) => path)
  assert.ok(paths.includes('ownPolicies.first.code'), planned.stdout)
  assert.ok(!paths.some((path) => path.startsWith('ownPolicies.second')), planned.stdout)
})
