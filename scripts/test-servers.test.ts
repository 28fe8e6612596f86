import assert from 'node:assert/strict'
import test from 'node:test'
import type { Machine } from './machine.ts'
import { plan, type TestServer } from './test-servers.ts'

const redis: TestServer = { command: 'redis-server', package: 'redis-server', tests: 'the Redis store' }
const chromium: TestServer = { command: 'chromium', package: 'chromium', tests: 'the console in a browser' }

function machine(is: Partial<Machine>): Machine {
  return { has: () => false, debian: true, root: true, platform: 'linux-x64', ...is }
}

test('nothing is done if every server is installed', () => {
  assert.deepEqual(plan([redis, chromium], machine({ has: () => true })), { do: 'nothing' })
})

test('root on Debian installs only what is missing', () => {
  const decided = plan([redis, chromium], machine({ has: (command) => command === 'chromium' }))
  assert.deepEqual(decided, { do: 'install', packages: ['redis-server'] })
})

test('a user on Debian is told what is missing and the command that installs it', () => {
  const decided = plan([redis, chromium], machine({ root: false }))
  assert.deepEqual(decided, {
    do: 'tell',
    message: `The tests need servers that are missing:
  redis-server: the Redis store
  chromium: the console in a browser
Run: sudo apt-get install --yes redis-server chromium`,
  })
})

test('elsewhere the user is told what is missing, and no apt-get command', () => {
  const decided = plan([redis], machine({ debian: false }))
  assert.equal(decided.do, 'tell')
  assert.match(decided.message, /redis-server: the Redis store/)
  assert.doesNotMatch(decided.message, /apt-get/)
})

test('what is only for Linux is not required elsewhere', () => {
  const systemd: TestServer = { command: 'systemd-analyze', package: 'systemd', tests: 'the unit', linuxOnly: true }
  assert.deepEqual(plan([systemd], machine({ debian: false, platform: 'darwin-arm64' })), { do: 'nothing' })
  assert.deepEqual(plan([systemd], machine({})), { do: 'install', packages: ['systemd'] })
})
