import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { requestAdmin } from '../support/admin.ts'
import { send } from '../support/client.ts'
import { startCommand, temporaryFile } from '../support/command.ts'
import { startFromText } from '../support/file-gateway.ts'
import { turnUntil } from '../support/settled.ts'

const APPLIED = 'Configuration applied'
const REQUEST = 'API Gateway Request'

const yaml = (body: string, log: string): string => `
workers: 2
admin: { address: '127.0.0.1:0' }
endpoints: { docs: false, openapi: false }
listeners: [{ address: '127.0.0.1:0' }]
log: ${log}
routes: [{ id: own, match: { path: /own }, reply: { status: 200, body: '${body}' } }]
`

async function start(t: TestContext, log: string) {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml('one', log))
  const started = await startCommand(t, file)
  return {
    ...started,
    /** Makes the gateway load a file with that body of the route and that log. */
    reload: async (body: string, next: string): Promise<void> => {
      await writeFile(file, yaml(body, next))
      started.command.child.kill('SIGHUP')
    },
    level: async (): Promise<unknown> => (await requestAdmin(started.adminPort, '/log-level')).json['level'],
  }
}

/** Sends requests on that many separate connections, which both workers get a share of. */
async function ask(port: number, path: string, connections = 16): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: connections }, () => send(port, { path })))
  return new Set(answers.map(({ text }) => text))
}

test('after a reload all workers use the new log level and format', async (t) => {
  const { command, port, reload, level } = await start(t, '{ level: info, format: json }')
  // The gateway's own endpoints are logged at debug only.
  await ask(port, '/health?before')
  await reload('two', '{ level: debug, format: json }')
  await command.line(APPLIED)
  assert.equal(await level(), 'debug')
  await ask(port, '/health?after')
  const lines = await command.lines(REQUEST, 16)
  assert.ok(lines.every(({ url }) => String(url).endsWith('/health?after')))
  await reload('three', '{ level: debug, format: pretty }')
  await turnUntil('all workers to use the new configuration', async () => !(await ask(port, '/own')).has('two'))
  await ask(port, '/own?pretty')
  command.child.kill('SIGTERM')
  const { stdout } = await command.ended
  const pretty = stdout.split('\n').filter((line) => line.includes('/own?pretty'))
  assert.equal(pretty.length, 16)
  for (const line of pretty) assert.match(line, /^[\d:]+ 200 GET \/own\?pretty [\d.]+ms own$/)
})

test('a log level set by an operator survives reloads that do not change log.level', async (t) => {
  const { file, ask: asked, reload } = await startFromText(t, yaml('one', '{ level: info, format: json }'))
  const level = async (): Promise<unknown> => (await asked('/log-level')).json['level']
  await asked('/log-level', { method: 'PUT', json: { level: 'debug' } })
  await writeFile(file, yaml('two', '{ level: info, format: json }'))
  await reload()
  assert.equal(await level(), 'debug')
  await writeFile(file, yaml('three', '{ level: warn, format: json }'))
  await reload()
  assert.equal(await level(), 'warn')
})

test('another log file needs a restart, and is rejected', async (t) => {
  const { file, port, log, reload } = await startFromText(t, yaml('one', '{ level: info, format: json }'))
  await writeFile(file, yaml('two', '{ level: info, format: json, file: other.log }'))
  await reload()
  const { problems } = await log.line({ message: 'Configuration refused: the running one is kept' })
  assert.match(String(problems), /^log\.file: has changed/)
  assert.deepEqual(await ask(port, '/own'), new Set(['one']))
})
