import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { startCommand, temporaryFile, type CommandOptions } from '../support/command.ts'
import { connect } from '../support/peer.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const APPLIED = 'Configuration applied'
const TOO_FEW_FILES =
  'The limit of open files is too low: raise it (ulimit -Hn, LimitNOFILE), or lower limits.connections'

const yaml = (body: string, more = ''): string => `
workers: 2
admin: false
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
routes: [{ id: own, match: { path: /* }, reply: { status: 200, body: '${body}' } }]
${more}
`

async function start(t: TestContext, text: string, options?: CommandOptions) {
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  return { file, ...(await startCommand(t, file, options)) }
}

/** The replies on several connections, with those of both workers among them. */
async function answers(t: TestContext, port: number): Promise<Set<string>> {
  const bodies = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const client = await connect(t, port)
      client.write(GET)
      const { body } = await client.reply()
      client.end()
      return body.toString()
    }),
  )
  return new Set(bodies)
}

test('SIGHUP applies the file in all workers and in later ones, and an invalid file changes nothing', async (t) => {
  const preload = new URL('../support/kill-worker.ts', import.meta.url).href
  const { command, port, file } = await start(t, yaml('one'), { preload })
  assert.deepEqual(await answers(t, port), new Set(['one']))
  const client = await connect(t, port)
  client.write(GET)
  await client.reply()
  await writeFile(file, yaml('two'))
  command.child.kill('SIGHUP')
  assert.equal((await command.line(APPLIED))['generation'], 2)
  assert.deepEqual(await answers(t, port), new Set(['two']))
  client.write(GET)
  assert.equal((await client.reply()).body.toString(), 'two')

  await writeFile(file, `${yaml('three')}drainTimeout: soon\nworkerTimeout: never\n`)
  command.child.kill('SIGHUP')
  const line = await command.line('Configuration refused: the running one is kept')
  const problems = line['problems'] as string[]
  assert.deepEqual(
    problems.map((problem) => problem.slice(file.length).split(' ', 2)),
    [
      [':8:15:', 'drainTimeout:'],
      [':9:16:', 'workerTimeout:'],
    ],
  )
  assert.deepEqual(await answers(t, port), new Set(['two']))

  command.child.kill('SIGUSR2')
  await command.line('A worker died and is replaced')
  assert.deepEqual(await answers(t, port), new Set(['two']))
})

test('a reload that needs more open files than allowed logs a warning, and one that needs no more does not', async (t) => {
  const { command, file } = await start(t, yaml('one', 'limits: { connections: 10 }'))
  const reload = async (connections: number, drain: string): Promise<void> => {
    const before = command.log.filter(({ message }) => message === APPLIED).length
    await writeFile(file, yaml('one', `limits: { connections: ${connections} }\ndrainTimeout: ${drain}`))
    command.child.kill('SIGHUP')
    await command.lines(APPLIED, before + 1)
  }
  await reload(1_000_000_000, '5s')
  await reload(1_000_000_000, '6s')
  const { needed } = await command.line(TOO_FEW_FILES)
  assert.equal(needed, 2_000_000_200)
  assert.equal(command.log.filter(({ message }) => message === TOO_FEW_FILES).length, 1)
})

test('SIGHUP during the start does not end the gateway, and causes a reload afterwards', async (t) => {
  const preload = new URL('../support/kill-worker.ts', import.meta.url).href
  const { command, port } = await start(t, yaml('one'), { preload, env: { HANG_UP_AT_READING: '1' } })
  await command.line('Configuration unchanged')
  assert.deepEqual(await answers(t, port), new Set(['one']))
})
