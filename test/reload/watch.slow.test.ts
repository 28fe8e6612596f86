import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { scrape } from '../support/metrics.ts'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'

const APPLIED = 'Configuration applied'
const REFUSED = 'Configuration refused: the running one is kept'

const yaml = (body: string, more = 'admin: false'): string => `
workers: 1
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
routes: [{ id: own, match: { path: /* }, reply: { status: 200, body: '${body}' } }]
${more}
`

test('with --watch each swap of a ConfigMap takes effect, except an invalid one', async (t) => {
  const file = await temporaryFile(t, 'unused.yaml', '')
  const path = (name: string): string => join(dirname(file), name)
  const fill = (version: string, text = yaml(version)): void => {
    mkdirSync(path(`..${version}`))
    writeFileSync(path(`..${version}/sallyport.yaml`), text)
  }
  const swap = (version: string, before: string): void => {
    symlinkSync(`..${version}`, path('..data_tmp'))
    renameSync(path('..data_tmp'), path('..data'))
    rmSync(path(`..${before}`), { recursive: true })
  }
  fill('v1')
  symlinkSync('..v1', path('..data'))
  symlinkSync('..data/sallyport.yaml', path('sallyport.yaml'))
  const { command, port } = await startCommand(t, path('sallyport.yaml'), { args: ['--watch'] })
  for (const [version, before] of [
    ['v2', 'v1'],
    ['v3', 'v2'],
  ] as const) {
    fill(version)
    swap(version, before)
    await command.lines(APPLIED, Number(version.slice(1)) - 1)
    assert.equal((await send(port)).text, version)
  }
  fill('v4', 'routes: [')
  swap('v4', 'v3')
  await command.line(REFUSED)
  assert.equal((await send(port)).text, 'v3')
  fill('v5')
  swap('v5', 'v4')
  await command.lines(APPLIED, 3)
  assert.equal((await send(port)).text, 'v5')
})

/** A policy that sets a header of replies to what it imports. */
const POLICY = `import { definePolicy, editReplies, z } from 'sallyport'
import { mark } from './mark.ts'
let times = 0
export default definePolicy({
  name: 'mark',
  summary: 'Marks replies.',
  options: z.strictObject({}),
  create: () => (next) => editReplies(next, (reply) => void reply.headers.set('X-Mark', \`\${mark} \${(times += 1)}\`)),
})
`

test('with reload.watch a changed policy is loaded again with its imports, and an unchanged one keeps its state', async (t) => {
  const own =
    'admin: { address: 127.0.0.1:0 }\nreload: { watch: true }\nownPolicies: [./own.ts]\npolicies: { mark: {} }'
  const file = await temporaryFile(t, 'sallyport.yaml', yaml('one', own))
  writeFileSync(join(dirname(file), 'own.ts'), POLICY)
  const mark = join(dirname(file), 'mark.ts')
  writeFileSync(mark, "export const mark = 'a'")
  const { command, port, adminPort } = await startCommand(t, file)
  const marked = async () => (await send(port)).headers['x-mark']
  const loaded = async () => (await scrape(adminPort)).sum('sallyport_policy_modules_loaded')
  assert.equal(await marked(), 'a 1')
  assert.equal(await loaded(), 2)
  // Something else.
  writeFileSync(file, yaml('two', own))
  await command.line(APPLIED)
  assert.equal(await marked(), 'a 2')
  assert.equal(await loaded(), 2)
  writeFileSync(mark, "export const mark = 'b'")
  await command.lines(APPLIED, 2)
  assert.equal(await marked(), 'b 1')
  assert.equal(await loaded(), 4)
  writeFileSync(mark, 'export const other = 1')
  const { problems } = await command.line(REFUSED)
  assert.match(String(problems), /ownPolicies\[0\]: "\.\/own\.ts" cannot be loaded: The requested module/)
  assert.equal(await marked(), 'b 2')
})
