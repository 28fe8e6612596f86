import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { scrape } from '../support/metrics.ts'
import { send } from '../support/client.ts'
import { run, startCommand, temporaryFile } from '../support/command.ts'

const APPLIED = 'Configuration applied'
const OUTDATED = 'The configuration was refused: the gateway starts with the last good one'
const SECRET = { GREETING: 'from the environment' }

const yaml = (body: string): string => `
workers: 1
endpoints: { docs: false, openapi: false }
admin: { address: '127.0.0.1:0' }
reload: { stateDir: state }
listeners: [{ address: '127.0.0.1:0' }]
routes: [{ id: own, match: { path: /own }, reply: { status: 200, body: '${body}' } }]
`
const BROKEN = yaml('three').replace('path: /own', 'path: own').replace('workers: 1', 'workers: 0')

test('a start with an invalid file uses the last good configuration, and logs errors until the file is fixed', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml('one'))
  const kept = join(dirname(file), 'state', 'last-good.yaml')
  const before = await startCommand(t, file, { env: SECRET })
  writeFileSync(file, yaml('two, ${GREETING}'))
  before.command.child.kill('SIGHUP')
  await before.command.line(APPLIED)
  before.command.child.kill('SIGTERM')
  await before.command.ended
  // As it is written, readable by nobody else.
  assert.equal(readFileSync(kept, 'utf8'), yaml('two, ${GREETING}'))
  assert.equal(readFileSync(`${kept}.1`, 'utf8'), yaml('one'))
  assert.deepEqual(
    [kept, `${kept}.1`].map((each) => statSync(each).mode & 0o777),
    [0o600, 0o600],
  )

  writeFileSync(file, BROKEN)
  const { command, port, adminPort } = await startCommand(t, file, { env: SECRET })
  const line = await command.line(OUTDATED)
  assert.equal(line['level'], 'error')
  assert.equal(line['file'], kept)
  const problems = (line['problems'] as string[]).map((problem) => problem.slice(file.length).split(' ', 2).join(' '))
  assert.deepEqual(problems, [':2:10: workers:', ':7:36: routes[0].match.path:'])
  assert.equal((await send(port, { path: '/own' })).text, 'two, from the environment')
  const health = async (at: number) => JSON.parse((await send(at, { path: '/health' })).text) as Record<string, unknown>
  for (const at of [port, adminPort]) {
    const { status, configuration } = await health(at)
    assert.deepEqual([status, configuration], ['degraded', 'outdated'])
  }
  assert.equal((await send(port, { path: '/health/ready' })).status, 200)
  const told = JSON.parse((await send(adminPort, { path: '/config/status' })).text) as {
    current: boolean
    lastReload: { outcome: string; problems: { line: number; path: string }[] }
  }
  assert.deepEqual([told.current, told.lastReload.outcome], [false, 'refused'])
  assert.deepEqual(
    told.lastReload.problems.map((problem) => [problem.line, problem.path]),
    [
      [2, 'workers'],
      [7, 'routes[0].match.path'],
    ],
  )
  const successful = async () => (await scrape(adminPort)).sum('sallyport_config_last_reload_successful')
  assert.equal(await successful(), 0)
  assert.equal(readFileSync(kept, 'utf8'), yaml('two, ${GREETING}'))

  writeFileSync(file, yaml('three'))
  command.child.kill('SIGHUP')
  await command.line(APPLIED)
  assert.equal((await send(port, { path: '/own' })).text, 'three')
  const { status, configuration } = await health(port)
  assert.deepEqual([status, configuration], ['healthy', undefined])
  assert.equal(await successful(), 1)
})

test('a start with an empty file uses the configuration kept in --state-dir', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml('one').replace(/reload:.*/, ''))
  const args = ['--state-dir', join(dirname(file), 'kept')]
  const first = await startCommand(t, file, { args })
  first.command.child.kill('SIGTERM')
  await first.command.ended
  writeFileSync(file, '')
  const { port } = await startCommand(t, file, { args })
  assert.equal((await send(port, { path: '/own' })).text, 'one')
})

test('a start fails with all problems if there is no usable last good configuration either', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', BROKEN)
  const nothing = await run(['start', '--config', file])
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /^\S+:2:10: workers: .*\n\S+:7:36: routes\[0\].match.path: .*\n$/)
  const kept = join(dirname(file), 'last-good.yaml')
  writeFileSync(kept, 'routes: 1')
  const { code, stderr } = await run(['start', '--config', file, '--state-dir', dirname(file)])
  assert.equal(code, 1)
  assert.match(stderr, /:2:10: workers: /)
  assert.ok(stderr.includes(`the last good configuration, saved in ${kept}, cannot be used either:\n`), stderr)
  assert.match(stderr, /:1:9: routes: expected a list/)
})

test('an unusable state directory is a configuration problem', async (t) => {
  const file = await temporaryFile(t, 'sallyport.yaml', yaml('one'))
  const state = join(dirname(file), 'state')
  writeFileSync(state, 'a file')
  const { code, stderr } = await run(['start', '--config', file])
  assert.equal(code, 1)
  assert.equal(stderr, `reload.stateDir: "${state}" is a file: expected a folder\n`)
})
