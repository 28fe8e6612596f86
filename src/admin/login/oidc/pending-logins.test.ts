import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { TIMEOUT, PendingLogins } from './pending-logins.ts'

const login = { nonce: 'n', verifier: 'v', redirectUri: 'http://a/', target: '/console/', provider: 'p' }

function make() {
  const clock = new ManualClock()
  const logins = new PendingLogins(clock)
  return { clock, logins }
}

test('a login can be completed once, by the browser that started it', () => {
  const { logins } = make()
  logins.begin('one', 'browser', login)
  assert.equal(logins.end('two', 'browser'), null)
  assert.equal(logins.end('one', 'browser')?.nonce, 'n')
  assert.equal(logins.end('one', 'browser'), null)
})

test('an attempt by another browser fails and uses up the login', () => {
  const { logins } = make()
  for (const [state, browser] of [
    ['one', 'another'],
    ['two', ''],
  ] as const) {
    logins.begin(state, 'browser', login)
    assert.equal(logins.end(state, browser), null)
    assert.equal(logins.end(state, 'browser'), null)
  }
})

test('a login expires after ten minutes', () => {
  const { clock, logins } = make()
  logins.begin('one', 'browser', login)
  logins.begin('two', 'browser', login)
  clock.advance(TIMEOUT - 1)
  assert.ok(logins.end('one', 'browser'))
  clock.advance(1)
  assert.equal(logins.end('two', 'browser'), null)
})

test('abandoned logins are evicted', () => {
  const { logins } = make()
  for (let i = 0; i < 5000; i++) logins.begin(`state-${i}`, 'browser', login)
  assert.equal(logins.end('state-0', 'browser'), null)
  assert.ok(logins.end('state-4999', 'browser'))
})
