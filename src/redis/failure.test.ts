import assert from 'node:assert/strict'
import test from 'node:test'
import { failureOf, tooLate } from './failure.ts'

/** As the client library has it. */
function reply(message: string): Error {
  return Object.defineProperty(new Error(message), 'name', { value: 'ReplyError' })
}

for (const [message, cause, isGeneral] of [
  ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', true],
  ['NOAUTH Authentication required.', 'NOAUTH', true],
  ["READONLY You can't write against a read only replica. script: 1f, on @user_script:1.", 'READONLY', true],
  ['ERR Error running script (call to f_1f): @user_script:3: -READONLY You can not.', 'READONLY', true],
  ['LOADING Redis is loading the dataset in memory', 'LOADING', true],
  ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', true],
  ["OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:1.", 'OOM', false],
  ['ERR Error running script (call to f_1f): @user_script:3: -OOM command not allowed when used memory', 'OOM', false],
  ["NOPERM User default has no permissions to run the 'evalsha' command", 'NOPERM', false],
  ['MISCONF Redis is configured to save RDB snapshots', 'MISCONF', false],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'WRONGTYPE', false],
  ["ERR unknown command 'hello'", 'ERR', false],
  ['nonsense', 'ERR', false],
] as const)
  test(`the Redis error ${message} has the cause ${cause}`, () => {
    const failure = failureOf(reply(message))
    assert.equal(failure.cause, cause)
    assert.equal(failure.isGeneral, isGeneral)
  })

test('a system error has its code as cause, even inside another error', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
  assert.equal(failureOf(refused).cause, 'ECONNREFUSED')
  const all = Object.assign(new Error('Failed to refresh slots cache.'), {
    lastNodeError: reply('NOAUTH Authentication'),
  })
  assert.equal(failureOf(all).cause, 'NOAUTH')
  const sentinels = new Error('All sentinels are unreachable. Retrying. Last error: getaddrinfo ENOTFOUND nowhere')
  assert.equal(failureOf(sentinels).cause, 'ENOTFOUND')
  for (const error of [refused, all, sentinels]) assert.equal(failureOf(error).isGeneral, true)
})

test('Sentinels that do not know the name have a cause of their own', () => {
  const error = new Error('All sentinels are unreachable. Retrying. Last error: ERR No such master with that name')
  assert.deepEqual([failureOf(error).cause, failureOf(error).isGeneral], ['no such master', true])
})

test('a lost connection has its own reason as cause if known', () => {
  const error = new Error("Stream isn't writeable and enableOfflineQueue options is false")
  assert.equal(failureOf(error).cause, 'connection lost')
  assert.equal(failureOf(error, tooLate(50)).cause, 'timeout')
})
