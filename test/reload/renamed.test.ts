import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test from 'node:test'
import { temporaryFile } from '../support/command.ts'
import { answering } from '../support/configured.ts'
import { startFromText } from '../support/file-gateway.ts'
import { runHere } from '../support/run-here.ts'

const RENAMED = 'renamed to limits.minRate: use the new name, because version 0.2.0 no longer accepts the old one'

test('a renamed key works under its old name, with a warning in the log and the admin API', async (t) => {
  const { ask, file, log, answer } = await startFromText(t, answering('one', 'limits: { leastRate: 100 }'))
  assert.equal(await answer(), 'one')
  const warning = { file, line: 7, column: 11, path: 'limits.leastRate', message: RENAMED }
  const status = async () => (await ask('/config/status')).json
  assert.deepEqual((await status())['warnings'], [warning])
  const config = (await ask('/config')).json['limits'] as Record<string, unknown>
  assert.equal(config['minRate'], 100)

  await writeFile(file, answering('two', '\nlimits: { leastRate: 200 }'))
  const plan = await ask('/config/plan', { method: 'POST', headers: { 'X-Requested-With': 'x' } })
  assert.deepEqual(plan.json['warnings'], [{ ...warning, line: 8 }])
  await ask('/config/reload', { method: 'POST', headers: { 'X-Requested-With': 'x' } })
  assert.equal(await answer(), 'two')
  assert.deepEqual((await status())['warnings'], [{ ...warning, line: 8 }])

  await writeFile(file, answering('two', 'limits: { leastRate: slow }'))
  const refused = await ask('/config/reload', { method: 'POST', headers: { 'X-Requested-With': 'x' } })
  assert.deepEqual(refused.json['problems'], [
    { file, line: 7, column: 22, path: 'limits.leastRate', message: 'expected a number, not "slow"' },
  ])
  const logged = log.lines
    .filter(({ message }) => message === 'Check the configuration')
    .map(({ level, file: of, line, path, problem }) => [level, of, line, path, problem])
  assert.deepEqual(logged, [
    ['warn', file, 7, 'limits.leastRate', RENAMED],
    ['warn', file, 8, 'limits.leastRate', RENAMED],
  ])
})

test('check and plan report an old name with its line', async (t) => {
  const file = await temporaryFile(t, 'a.yaml', 'admin: false\nlimits: { leastRate: 1 }\nroutes: []\n')
  const { code, stderr } = await runHere(['check', file])
  assert.equal(code, 0)
  assert.ok(stderr.startsWith(`${file}:2:22: warning: limits.leastRate: ${RENAMED}\n`), stderr)
  const plan = await runHere(['plan', file, '--against', file])
  assert.equal(plan.stderr, `${file}:2:11: warning: limits.leastRate: ${RENAMED}\n`)
})
