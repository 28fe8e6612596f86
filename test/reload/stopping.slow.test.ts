import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../../src/gateway.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { startGateway } from '../support/gateway.ts'

const YAML = `
workers: 1
admin: false
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
ownPolicies: [./mine.ts]
policies: { mine: {} }
routes: [{ id: own, match: { path: /* }, reply: {} }]
`

/** A policy that starts with that code, which runs when it is loaded. */
const policy = (code: string): string => `import { writeSync } from 'node:fs'
import { threadName } from 'node:worker_threads'
import { definePolicy, z } from 'sallyport'
const say = () => writeSync(1, '{"message":"The policy is loaded"}\\n')
${code}
export default definePolicy({ name: 'mine', summary: 'Mine.', options: z.strictObject({}), create: () => (next) => next })
`

const FOR_EVER = 'await new Promise((resolve) => setInterval(() => {}, 60_000))'

async function start(t: TestContext) {
  const file = await temporaryFile(t, 'sallyport.yaml', YAML)
  const change = (code: string): void => writeFileSync(join(dirname(file), 'mine.ts'), policy(code))
  change('')
  return { change, ...(await startCommand(t, file)) }
}

test('SIGTERM stops a gateway during a reload whose policy never finishes loading', async (t) => {
  const { change, command } = await start(t)
  change(`say()\n${FOR_EVER}`)
  command.child.kill('SIGHUP')
  await command.line('The policy is loaded')
  command.child.kill('SIGTERM')
  const { code, signal } = await command.ended
  assert.deepEqual([code, signal], [0, null])
})

test('SIGTERM stops a gateway whose worker never finishes preparing a configuration', async (t) => {
  const { change, command } = await start(t)
  change(`if (threadName.startsWith('worker-')) {\nsay()\nawait new Promise(() => {})\n}`)
  command.child.kill('SIGHUP')
  await command.line('The policy is loaded')
  command.child.kill('SIGTERM')
  const { code, signal } = await command.ended
  assert.deepEqual([code, signal], [0, null])
})

test('a gateway in a program closes although a policy never finishes loading', async (t) => {
  const file = await temporaryFile(t, 'mine.ts', policy('globalThis.loadedMine?.()\nawait new Promise(() => {})'))
  const loaded = new Promise((resolve) => Reflect.set(globalThis, 'loadedMine', resolve))
  t.after(() => Reflect.deleteProperty(globalThis, 'loadedMine'))
  const input: GatewayInput = { routes: [{ id: 'own', match: { path: '/*' }, reply: {} }] }
  const { gateway } = await startGateway(t, input)
  const refused = assert.rejects(gateway.reload({ ...input, ownPolicies: [file] }), /the gateway is stopping/)
  await loaded
  await gateway.close()
  await refused
})
