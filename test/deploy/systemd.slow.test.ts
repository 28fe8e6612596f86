import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { openFilesNeeded } from '../../src/workers/open-files.ts'

const folder = join(import.meta.dirname, '../../deploy/systemd')
const unit = readFileSync(join(folder, 'sallyport.service'), 'utf8')
const rotation = readFileSync(join(folder, 'sallyport.logrotate'), 'utf8')

/** A folder that exists until the end of the test. */
function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

/** The units, with a program and a user that this machine has, and their file. */
function unitHere(t: TestContext, name: string): string {
  const here = temporaryFolder(t)
  for (const each of readdirSync(folder).filter((file) => /\.(?:service|socket)$/.test(file))) {
    const text = readFileSync(join(folder, each), 'utf8')
    const file = text.replace('/usr/local/bin/sallyport', process.execPath).replaceAll(/^(User|Group)=.*$/gm, '$1=root')
    writeFileSync(join(here, each), file)
  }
  return join(here, name)
}

function settingOf(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? assert.fail(`no ${name}`)
}

if (process.platform === 'linux') {
  for (const name of ['sallyport.service', 'sallyport@9001.service', 'sallyport.socket'])
    test(`systemd-analyze verify accepts ${name}`, (t) => {
      const args = ['verify', unitHere(t, name)]
      const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
      // Units of other packages are checked as well.
      const own = (stdout + stderr).split('\n').filter((line) => line.includes('sallyport'))
      assert.deepEqual(own, [])
      assert.equal(status, 0)
    })

  test('systemd-analyze security rates the unit 2.5 of 10 at most', (t) => {
    const args = ['security', '--offline=true', '--threshold=25', unitHere(t, 'sallyport.service')]
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
  })
}

test('the template unit differs from the plain one only in what a handover needs', () => {
  const template = readFileSync(join(folder, 'sallyport@.service'), 'utf8')
  const lines = (text: string): string[] => text.split('\n').filter((line) => /^\w+=/.test(line))
  const more = lines(template).filter((line) => !lines(unit).includes(line))
  assert.deepEqual(more, [
    'Description=Sallyport, an API gateway (admin port %i)',
    'Conflicts=sallyport.service',
    'Sockets=sallyport.socket',
    'Environment=ADMIN_PORT=%i',
  ])
  assert.deepEqual(
    lines(unit).filter((line) => !lines(template).includes(line)),
    ['Description=Sallyport, an API gateway'],
  )
})

test('TimeoutStopSec is drainTimeout plus 10 seconds', () => {
  assert.equal(Number(settingOf('TimeoutStopSec')), parseConfig({}).drainTimeout / 1000 + 10)
})

test('LimitNOFILE suffices for 16 workers with 10 instances by default', () => {
  const instances = Array.from({ length: 10 }, (_, i) => `http://10.0.0.${i}:80`)
  const needed = openFilesNeeded(parseConfig({ services: { users: { instances } } }), {}, 16)
  assert.ok(Number(settingOf('LimitNOFILE')) >= needed, String(needed))
})

test('systemctl reload sends SIGHUP, on which the gateway reloads its configuration', () => {
  assert.equal(settingOf('ExecReload'), '/bin/kill -HUP $MAINPID')
})

test('the last good configuration is kept in a private state directory', () => {
  assert.match(settingOf('ExecStart'), / --state-dir %S\/sallyport$/)
  assert.deepEqual([settingOf('StateDirectory'), settingOf('StateDirectoryMode')], ['sallyport', '0700'])
})

test('logrotate renames the log, and sends the signal on which the gateway opens a new file', async (t) => {
  const logs = temporaryFolder(t)
  writeFileSync(join(logs, 'gateway.log'), 'a line\n')
  const program = `process.on('SIGUSR2', () => { console.log('SIGUSR2'); process.exit() }); setInterval(() => {}, 1000); console.log('up')`
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'up')

  const here = rotation.replaceAll('/var/log/sallyport/', `${logs}/`).replace(
    // Also the gateways on the sockets of sallyport.socket, each of which is an instance of a template.
    "systemctl kill --kill-who=main --signal=SIGUSR2 sallyport.service 'sallyport@*.service'",
    `kill -USR2 ${child.pid}`,
  )
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
