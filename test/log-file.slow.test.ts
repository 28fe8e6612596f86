import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startCollector } from './support/collector.ts'
import { Command, run, temporaryFile } from './support/command.ts'
import { TIMEOUT } from './support/timeout.ts'
import { startService } from './support/service.ts'

type Line = Readonly<Record<string, unknown>>

function linesOf(file: string): Line[] {
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return whole.filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
}

/** The first line of the file with that message, waiting for it if necessary. */
function lineIn(file: string, message: string): Promise<Line> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error(`no "${message}" in ${file}`))), TIMEOUT)
    const watcher = watch(dirname(file), look)
    look()

    function look(): void {
      const line = linesOf(file).find((each) => each['message'] === message)
      if (line !== undefined) settle(() => resolve(line))
    }

    function settle(done: () => void): void {
      clearTimeout(timer)
      watcher.close()
      done()
    }
  })
}

/** `sallyport start` with two workers that log to a file, once it listens. */
async function startLogging(t: TestContext, service: string, env: Readonly<Record<string, string>> = {}) {
  const file = await temporaryFile(t, 'sallyport.log', '')
  const yaml = `
listeners: [{ address: '127.0.0.1:0' }]
admin: false
workers: 2
log: { file: '${file}' }
services: { users: { instances: ['${service}'], health: false } }
routes: [{ id: users, match: { path: /* }, service: users }]
`
  const command = new Command(['start', '--config', await temporaryFile(t, 'sallyport.yaml', yaml)], { env })
  cleanUp(t, async () => {
    command.child.kill('SIGKILL')
    await command.ended
  })
  const died = command.ended.then(({ stderr }) => Promise.reject(new Error(`it ended: ${stderr}`)))
  const { listeners } = await Promise.race([lineIn(file, 'Sallyport is listening'), died])
  died.catch(() => {})
  return { command, file, port: Number(String(listeners).split(':').at(-1)) }
}

test('SIGUSR2 reopens a renamed log file, and no line of any thread is lost', async (t) => {
  const service = await startService(t)
  const { command, file, port } = await startLogging(t, service.url)
  const old = `${file}.1`
  const ask = async (from: number): Promise<void> => {
    for (let i = from; i < from + 40; i++) await send(port, { path: `/${i}` })
  }
  await ask(0)
  renameSync(file, old)
  command.child.kill('SIGUSR2')
  await ask(40)
  await lineIn(file, 'API Gateway Request')
  await ask(80)
  command.child.kill('SIGTERM')
  const { code, stdout } = await command.ended
  assert.deepEqual([code, stdout], [0, ''])
  const urls = [...linesOf(old), ...linesOf(file)].flatMap(({ url }) =>
    typeof url === 'string' ? [new URL(url).pathname] : [],
  )
  assert.deepEqual(urls.toSorted(), Array.from({ length: 120 }, (_, i) => `/${i}`).toSorted())
  assert.ok(linesOf(file).some(({ message }) => message === 'Sallyport is stopping'))
})

test('a log file that cannot be written stops the start with an error in one line', async (t) => {
  const config = await temporaryFile(t, 'sallyport.yaml', 'admin: false\nlog: { file: /nowhere/at/all.log }')
  const { code, stderr } = await run(['start', '--config', config])
  assert.equal(code, 1)
  assert.match(stderr, /^\S+: log\.file: ENOENT[^\n]*\n$/)
})

test('each worker exports its spans, including the last ones on shutdown', async (t) => {
  const [service, collector] = [await startService(t), await startCollector(t)]
  const { command, port } = await startLogging(t, service.url, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  for (let i = 0; i < 20; i++) await send(port)
  command.child.kill('SIGTERM')
  assert.equal((await command.ended).code, 0)
  assert.equal(collector.spans.length, 40)
})
