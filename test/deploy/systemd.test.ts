import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { openFilesNeeded } from '../../src/workers/open-files.ts'

const folder = join(import.meta.dirname, '../../deploy/systemd')
const unit = readFileSync(join(folder, 'sallyport.service'), 'utf8')
const rotation = readFileSync(join(folder, 'sallyport.logrotate'), 'utf8')

/** A folder that is there until the end of the test. */
function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

/** The unit, with a program and a user that this machine has. */
function unitHere(t: TestContext): string {
  const file = join(temporaryFolder(t), 'sallyport.service')
  const here = unit.replace('/usr/local/bin/sallyport', process.execPath).replaceAll(/^(User|Group)=.*$/gm, '$1=root')
  writeFileSync(file, here)
  return file
}

function settingOf(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? assert.fail(`no ${name}`)
}

if (process.platform === 'linux') {
  test('systemd finds nothing wrong with the unit', (t) => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unitHere(t)], { encoding: 'utf8' })
    assert.equal(stdout + stderr, '')
    assert.equal(status, 0)
  })

  test('systemd counts the exposure of the unit as no more than 2.5 of 10', (t) => {
    const args = ['security', '--offline=true', '--threshold=25', unitHere(t)]
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })
}

test('the unit leaves the gateway the time to drain, and 10 seconds', () => {
  assert.equal(Number(settingOf('TimeoutStopSec')), parseConfig({}).drainTimeout / 1000 + 10)
})

test('the unit allows as many open files as 16 workers need by default, with 10 instances', () => {
  const instances = Array.from({ length: 10 }, (_, i) => `http://10.0.0.${i}:80`)
  const needed = openFilesNeeded(parseConfig({ services: { users: { instances } } }), 16)
  assert.ok(Number(settingOf('LimitNOFILE')) >= needed, String(needed))
})

test('systemctl reload sends the signal on which the gateway reads its configuration anew', () => {
  assert.equal(settingOf('ExecReload'), '/bin/kill -HUP $MAINPID')
})

test('the unit keeps the last good configuration in its own folder, which nobody else may read', () => {
  assert.match(settingOf('ExecStart'), / --state-dir %S\/sallyport$/)
  assert.deepEqual([settingOf('StateDirectory'), settingOf('StateDirectoryMode')], ['sallyport', '0700'])
})

test('logrotate moves the log away, and sends the signal on which the gateway opens a new file', async (t) => {
  const logs = temporaryFolder(t)
  writeFileSync(join(logs, 'gateway.log'), 'a line\n')
  const program = `process.on('SIGUSR2', () => { console.log('SIGUSR2'); process.exit() }); setInterval(() => {}, 1000); console.log('up')`
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'up')

  const here = rotation
    .replaceAll('/var/log/sallyport/', `${logs}/`)
    .replace('systemctl kill --kill-who=main --signal=SIGUSR2 sallyport.service', `kill -USR2 ${child.pid}`)
  assert.notEqual(here, rotation)
  const file = join(logs, 'rotation')
  writeFileSync(file, here, { mode: 0o644 })
  const args = ['--force', '--state', join(logs, 'state'), file]
  const { status, stderr } = spawnSync('logrotate', args, { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
  assert.equal(readFileSync(join(logs, 'gateway.log.1'), 'utf8'), 'a line\n')
  assert.equal(existsSync(join(logs, 'gateway.log')), false)
  assert.equal((await lines.next()).value, 'SIGUSR2')
})
