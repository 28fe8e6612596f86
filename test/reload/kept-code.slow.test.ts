import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { requestAdmin } from '../support/admin.ts'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'

const CONFIGURATION = `
workers: 1
admin: { address: '127.0.0.1:0' }
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
ownPolicies: [./policy.ts]
policies: { mark: {} }
routes: [{ id: all, match: { path: /* }, reply: { status: 200 } }]
`

/** A policy that answers with its version, and with those of its static and dynamic imports. */
const policy = (version: string) => `import { definePolicy, Reply, z } from 'sallyport'
import { mark } from './mark.ts'
export default definePolicy({
  name: 'mark',
  summary: 'Answers.',
  options: z.strictObject({}),
  create: () => () => async () => Reply.json(200, ['${version}', mark, (await import('./later.ts')).later]),
})
`

test('a restarted worker runs the code of the running configuration, whatever the files contain now', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', CONFIGURATION)
  const [main, mark, later] = ['policy.ts', 'mark.ts', 'later.ts'].map((name) => join(dirname(file), name))
  const write = async (version: string): Promise<void> => {
    await writeFile(mark!, `export const mark = '${version}'`)
    await writeFile(later!, `export const later = '${version}'`)
    await writeFile(main!, policy(version))
  }
  await write('a')
  const preload = new URL('../support/kill-worker.ts', import.meta.url).href
  const { command, port, adminPort } = await startCommand(t, file, { preload })
  const answer = async (): Promise<unknown> => JSON.parse((await send(port)).text)
  let deaths = 0
  const kill = async (): Promise<void> => {
    command.child.kill('SIGUSR2')
    await command.lines('A worker died and is replaced', ++deaths)
  }
  // Before the dynamic import.
  await write('b')
  await kill()
  assert.deepEqual(await answer(), ['a', 'a', 'a'])
  await writeFile(mark!, 'broken')
  command.child.kill('SIGHUP')
  await command.line('Configuration refused: the running one is kept')
  await kill()
  assert.deepEqual(await answer(), ['a', 'a', 'a'])
  await Promise.all([main!, mark!, later!].map((each) => rm(each)))
  await kill()
  assert.deepEqual(await answer(), ['a', 'a', 'a'])
  assert.equal((await requestAdmin(adminPort, '/routes')).status, 200)
  await write('c')
  command.child.kill('SIGHUP')
  await command.line('Configuration applied')
  await write('d')
  assert.deepEqual(await answer(), ['c', 'c', 'c'])
  await kill()
  assert.deepEqual(await answer(), ['c', 'c', 'c'])
})
