import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { parseConfig } from '../../config/parse.ts'
import { type LoggedIn, Sessions } from './sessions.ts'
import { ConfiguredUsers } from './users.ts'

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
const digest = (letter: string): string => `$scrypt$ln=14,r=8,p=1$${SALT}$${letter.repeat(43)}`
const HOUR = 3_600_000

function make(loginLifetime = '12h') {
  const configured = (users: object[]) => parseConfig({ admin: { users, loginLifetime } })
  const person = (name: string, role = 'viewer', password = 'A') => ({ name, role, password: digest(password) })
  let config = configured(Array.from({ length: 60 }, (_, i) => person(`user-${i}`)))
  const clock = new ManualClock()
  const sessions = new Sessions(() => config, clock)
  const users = new ConfiguredUsers(() => config)
  const user = (name: string): LoggedIn => users.loggedIn(users.current!.find(name)!)
  return { clock, sessions, users, user, person, apply: (next: object[]) => (config = configured(next)) }
}

test('a session expires after two hours without use', () => {
  const { clock, sessions, user } = make()
  const name = sessions.begin(user('user-1'))
  for (let i = 0; i < 5; i++) {
    clock.advance(2 * HOUR - 1)
    // Asking whether it is there is no use.
    assert.ok(sessions.has(name))
    assert.equal(sessions.use(name)?.name, 'user-1')
  }
  clock.advance(2 * HOUR)
  assert.equal(sessions.has(name), false)
  assert.equal(sessions.use(name), null)
})

test('a session expires after its lifetime, however much it is used', () => {
  const { clock, sessions, user } = make('3h')
  const name = sessions.begin(user('user-1'))
  clock.advance(1.5 * HOUR)
  assert.ok(sessions.use(name))
  clock.advance(1.5 * HOUR)
  assert.equal(sessions.use(name), null)
})

test('a session ends when its user is removed or gets another password or role', () => {
  const { sessions, users, user, person, apply } = make()
  const names = [1, 2, 3, 4].map((i) => sessions.begin(user(`user-${i}`)))
  apply([person('user-1'), person('user-2', 'admin'), person('user-3', 'viewer', 'B')])
  assert.deepEqual(
    names.map((name) => sessions.use(name)?.name ?? null),
    ['user-1', null, null, null],
  )
  apply([])
  assert.equal(users.current, null)
  assert.equal(sessions.use(names[0]!), null)
})

test('the 20 most recently used sessions of a user are kept, and 1,000 in all', () => {
  const { sessions, user } = make()
  const own = Array.from({ length: 20 }, () => sessions.begin(user('user-0')))
  sessions.use(own[0]!)
  const next = sessions.begin(user('user-0'))
  assert.ok(sessions.has(own[0]!))
  assert.equal(sessions.has(own[1]!), false)
  for (let i = 1; i <= 50; i++) for (let j = 0; j < 20; j++) sessions.begin(user(`user-${i}`))
  assert.equal(sessions.has(next), false)
  assert.equal(sessions.has(own[0]!), false)
})

test('malformed session ids are rejected', () => {
  const { sessions } = make()
  for (const name of ['', 'a', 'A'.repeat(43), 'A'.repeat(5000), '__proto__']) assert.equal(sessions.use(name), null)
})

test('users of the provider are distinct from local users, and from each other, even with the same name', () => {
  const { sessions, user } = make()
  const known = (subject: string): LoggedIn => ({
    name: 'user-0',
    role: 'admin',
    by: 'oidc',
    subject,
    isValid: () => true,
  })
  const first = sessions.begin(user('user-0'))
  const other = sessions.begin(known('1'))
  for (let i = 0; i < 20; i++) sessions.begin(known('2'))
  assert.ok(sessions.has(first))
  assert.ok(sessions.has(other))
})
