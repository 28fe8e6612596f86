import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { run, temporaryFile } from './support/command.ts'
import { scrape } from './support/metrics.ts'
import { TIMEOUT } from './support/timeout.ts'

const main = new URL('../src/main.ts', import.meta.url).pathname

const YAML = `
listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
workers: 2
endpoints: { docs: false, openapi: false }
routes: [{ id: all, match: { path: /* }, reply: { status: 204 } }]
`

const POLICY = `
import { definePolicy, z } from 'sallyport'

export default definePolicy({
  name: 'none',
  summary: 'Does nothing.',
  options: z.strictObject({}),
  create: () => (next) => next,
})
`

/** Where a process writes its log, and how the test reads it. */
type Output = 'socket' | 'pipe'

/** `sallyport start` whose log the test reads until it listens, and no further. */
async function startUnread(t: TestContext, output: Output) {
  const config = await temporaryFile(t, 'sallyport.yaml', YAML)
  const args = [main, 'start', '--config', config]
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  let child: ChildProcess
  let log: Readable
  if (output === 'socket') {
    child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    log = child.stdout!
  } else {
    const pipe = join(dirname(config), 'pipe')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const writer = openSync(pipe, constants.O_WRONLY)
    child = spawn(process.execPath, args, { env, stdio: ['ignore', writer, 'inherit'] })
    closeSync(writer)
    log = new Socket({ fd: reader, writable: false })
  }
  const ended = once(child, 'exit')
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await ended
    log.destroy()
  })
  const { listeners, admin } = JSON.parse(await listeningLine(log)) as { listeners: string[]; admin: string }
  const port = (address: string) => Number(address.split(':').at(-1))
  /** Ends the process as an orchestrator does; returns its exit code. */
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT)
    await ended
    clearTimeout(timer)
    return child.exitCode
  }
  return { log, port: port(listeners[0]!), adminPort: port(admin), stop }
}

/** The line with its addresses, regardless of earlier warnings. */
async function listeningLine(log: Readable): Promise<string> {
  log.setEncoding('utf8')
  let text = ''
  for (;;) {
    const line = /^.*"message":"Sallyport is listening"}$/m.exec(text)
    if (line !== null) {
      log.removeAllListeners('readable')
      log.pause()
      return line[0]
    }
    const piece: unknown = log.read()
    if (typeof piece === 'string') text += piece
    else if (log.readableEnded) throw new Error(`it ended after: ${text}`)
    else await Promise.race([once(log, 'readable'), once(log, 'end')])
  }
}

/** Far more of a log than fits in the pipe and the reader's buffers. */
async function askMuch(port: number): Promise<Set<number>> {
  const statuses = new Set<number>()
  const path = `/${'x'.repeat(1000)}`
  const clients = Array.from({ length: 8 }, async () => {
    for (let i = 0; i < 150; i++) statuses.add((await send(port, { path })).status)
  })
  await Promise.all(clients)
  return statuses
}

for (const output of ['socket', 'pipe'] as const) {
  test(`a reader of the log (${output}) that stalls delays neither requests nor shutdown`, async (t) => {
    const { port, stop } = await startUnread(t, output)
    assert.deepEqual([...(await askMuch(port))], [204])
    assert.equal(await stop(), 0)
  })

  test(`a reader of the log (${output}) that disappears only loses lines, which a metric counts`, async (t) => {
    const { log, port, adminPort, stop } = await startUnread(t, output)
    log.destroy()
    await once(log, 'close')
    assert.deepEqual([...(await askMuch(port))], [204])
    const lost = (await scrape(adminPort)).sum('sallyport_log_lines_lost_total')
    assert.ok(lost > 1000 && lost <= 1201, `${lost} lines`)
    assert.equal(await stop(), 0)
  })
}

for (const [policies, ownPolicies] of [
  ['the built-in policies', '[]'],
  ['a custom policy', '[./none.ts]'],
])
  test(`a failed start with ${policies} is reported on standard error, even if the log goes to a file`, async (t) => {
    const taken = createServer().listen(0, '127.0.0.1')
    cleanUp(t, () => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const log = await temporaryFile(t, 'sallyport.log', '')
    const yaml = `
listeners: [{ address: '127.0.0.1:${port}' }]
admin: false
log: { file: '${log}' }
ownPolicies: ${ownPolicies}
routes: [{ id: all, match: { path: /* }, reply: { status: 204 } }]
`
    const file = await temporaryFile(t, 'sallyport.yaml', yaml)
    await writeFile(join(dirname(file), 'none.ts'), POLICY)
    const { code, stdout, stderr } = await run(['start', '--config', file])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, new RegExp(`^Sallyport could not start: address already in use: 127\\.0\\.0\\.1:${port}: `))
  })
