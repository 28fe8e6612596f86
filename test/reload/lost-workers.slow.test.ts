import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { requestAdmin } from '../support/admin.ts'
import { type Command, startCommand, temporaryFile } from '../support/command.ts'
import { send } from '../support/client.ts'

/**
 * A policy that ends the second worker when it is about to answer "two", once per line of a file next to it, and
 * answers with its option.
 */
const POLICY = `import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { threadName } from 'node:worker_threads'
import { definePolicy, Reply, z } from 'sallyport'
const deaths = new URL('./deaths', import.meta.url)
export default definePolicy({
  name: 'own',
  summary: 'Answers.',
  options: z.strictObject({ body: z.string() }),
  create: ({ body }) => {
    if (body === 'two' && threadName === 'worker-1' && existsSync(deaths)) {
      const left = readFileSync(deaths, 'utf8').slice(1)
      if (left === '') rmSync(deaths)
      else writeFileSync(deaths, left)
      process.exit(1)
    }
    return () => () => Reply.json(200, body)
  },
})
`
const DIED = 'A worker died and is replaced'

const EXCHANGED = 'A worker did not apply a configuration and is replaced'

const yaml = (body: string): string => `
workers: 2
admin: { address: '127.0.0.1:0' }
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
ownPolicies: [./own.ts]
policies: { own: { body: ${body} } }
routes: [{ id: all, match: { path: /* }, reply: {} }]
`

async function start(t: TestContext) {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml('one'))
  await writeFile(join(dirname(file), 'own.ts'), POLICY)
  const { command, port, adminPort } = await startCommand(t, file)
  const answers = async (): Promise<Set<string>> =>
    new Set(await Promise.all(Array.from({ length: 16 }, async () => (await send(port)).text)))
  const reload = () => requestAdmin(adminPort, '/config/reload', { method: 'POST' })
  return { file, command, answers, reload, deaths: join(dirname(file), 'deaths') }
}

const count = (command: Command, message: string): number =>
  command.log.filter((line) => line['message'] === message).length

test('a reload in which a worker dies is retried once the worker is replaced', async (t) => {
  const { file, command, answers, reload, deaths } = await start(t)
  await writeFile(file, yaml('two'))
  await writeFile(deaths, 'x')
  const { status, json } = await reload()
  assert.deepEqual([status, json['outcome']], [200, 'applied'])
  assert.deepEqual(await answers(), new Set(['"two"']))
  assert.ok(!existsSync(deaths))
  await command.line('Configuration applied')
  assert.deepEqual([count(command, DIED), count(command, EXCHANGED)], [1, 0])
})

test('a reload in which workers die repeatedly is rejected', async (t) => {
  const { file, command, answers, reload, deaths } = await start(t)
  await writeFile(file, yaml('two'))
  await writeFile(deaths, 'xx')
  const { status, text } = await reload()
  assert.equal(status, 422)
  assert.match(text, /a worker ended while it prepared the configuration: see the log for the reason/)
  await command.lines(DIED, 2)
  assert.deepEqual(await answers(), new Set(['"one"']))
})
