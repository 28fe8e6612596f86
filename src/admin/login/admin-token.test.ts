import assert from 'node:assert/strict'
import test from 'node:test'
import { parseConfig } from '../../config/parse.ts'
import { AdminToken } from './admin-token.ts'

test('whoever has logged in with the token stays an admin until it changes', () => {
  const configured = (token?: string) => parseConfig({ admin: token === undefined ? {} : { token } })
  let config = configured('correct-horse-battery')
  const token = new AdminToken(() => config)
  assert.deepEqual([token.isSet, token.matches('correct-horse-battery'), token.matches('')], [true, true, false])
  const user = token.loggedIn
  assert.deepEqual([user.name, user.role, user.by, user.isValid()], [null, 'admin', 'token', true])
  config = configured('correct-horse-battery')
  assert.equal(user.isValid(), true)
  config = configured('another-horse-battery')
  assert.deepEqual(
    [user.isValid(), token.loggedIn.isValid(), token.matches('correct-horse-battery')],
    [false, true, false],
  )
  config = configured()
  assert.deepEqual(
    [user.isValid(), token.isSet, token.matches('another-horse-battery'), token.matches('')],
    [false, false, false, false],
  )
  config = parseConfig({ admin: false })
  assert.deepEqual([user.isValid(), token.isSet], [false, false])
})
