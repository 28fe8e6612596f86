/** Options that operators edit in the text of a configuration over the admin API: what they can write and see. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { stringify } from 'yaml'
import type { AdminAnswer } from './support/admin.ts'
import { startFromText } from './support/file-gateway.ts'
import { quickDigestOf } from './support/password.ts'

const TOKEN = 'token-of-the-operators'
const PASSWORD = 'a password of theirs'
const SECRET = 'a-shared-secret-of-thirty-two-bytes'

test('an edited option takes only plain values, no variables, files or other keys, and the response contains no secrets', async (t) => {
  const text = stringify({
    admin: {
      address: '127.0.0.1:0',
      token: TOKEN,
      users: [{ name: 'otto', password: quickDigestOf(PASSWORD), role: 'operator' }],
    },
    listeners: [{ address: '127.0.0.1:0' }],
    services: { shop: { instances: ['http://127.0.0.1:1'], health: false } },
    policies: { auth: { methods: { jwt: { secret: SECRET } } } },
    routes: [{ id: 'books', match: { path: '/*' }, service: 'shop' }],
  })
  const { ask, file, log } = await startFromText(t, text)
  const original = await readFile(file, 'utf8')
  const login = await ask('/login', { method: 'POST', json: { name: 'otto', password: PASSWORD } })
  const otto = { Cookie: String(login.headers['set-cookie']).split(';', 1)[0]! }
  const edit = (json: object, headers: object = otto) =>
    ask('/config/edit', { method: 'POST', json, headers: { ...headers } })
  const books = { kind: 'route', name: 'books' }

  for (const headers of [otto, { Authorization: `Bearer ${TOKEN}` }]) {
    const { status, json, text: answer } = await edit({ ...books, changes: { 'timeouts.response': '7s' } }, headers)
    assert.equal(status, 200)
    assert.partialDeepStrictEqual(json, { writable: false, problems: [], plan: { same: false } })
    assert.match(String(json['after']), /timeouts: \{ response: 7s \}/)
    for (const secret of [SECRET, TOKEN]) assert.ok(!answer.includes(secret))
  }
  for (const value of [
    '${HOME}',
    '${file:/etc/hostname}',
    '$$',
    '5s\n    service: other',
    '5s # five',
    '*a',
    '{ a: b }',
  ]) {
    const { json } = await edit({ ...books, changes: { 'timeouts.response': value } })
    const [problem] = json['problems'] as { option: string; message: string }[]
    assert.equal(problem?.option, 'timeouts.response', value)
    assert.match(problem.message, /^expected a number, a rate/)
    assert.deepEqual([json['plan'], json['after']], [null, json['before']])
  }
  for (const name of ['__proto__', 'constructor', 'books\n'])
    for (const kind of ['route', 'service']) assert.equal((await edit({ kind, name })).status, 409, name)
  for (const option of ['toString', 'policies', 'match', 'weight shop'])
    assert.equal((await edit({ ...books, changes: { [option]: 1 } })).status, 400, option)

  assert.equal(await readFile(file, 'utf8'), original)
  assert.deepEqual(
    log.lines.filter(({ message }) => message === 'An operator has asked for a change'),
    [],
  )
})

test('retries and the limit of a service are turned off and on again', async (t) => {
  const written = (shop: string) => `workers: 1
overload: false
endpoints: { docs: false, openapi: false }
admin: { address: '127.0.0.1:0' }
listeners: [{ address: '127.0.0.1:0' }]
services:
  shop: { instances: ['http://127.0.0.1:1'], health: false${shop} }
routes: [{ id: all, match: { path: /* }, service: shop }]
`
  const optionsOf = ({ json }: AdminAnswer) =>
    Object.fromEntries(
      (json['options'] as { option: string; value: unknown }[]).map(({ option, value }) => [option, value]),
    )
  const start = async (shop: string) => {
    const { ask } = await startFromText(t, written(shop))
    return (changes: object) =>
      ask('/config/edit', { method: 'POST', json: { kind: 'service', name: 'shop', changes } })
  }
  const on = await start(', retry: { attempts: 2 }')
  assert.partialDeepStrictEqual(optionsOf(await on({})), {
    'retry.off': null,
    'retry.attempts': 2,
    'concurrency.off': null,
  })
  assert.equal((await on({ 'retry.off': null })).json['after'], written(', retry: { attempts: 2 }'))
  const changed = await on({ 'retry.off': true, 'concurrency.off': true })
  assert.equal(changed.json['after'], written(', retry: false, concurrency: false'))
  assert.partialDeepStrictEqual(changed.json, { problems: [], plan: { same: false } })
  const off = await start(', retry: false, concurrency: false')
  assert.partialDeepStrictEqual(optionsOf(await off({})), {
    'retry.off': true,
    'retry.attempts': null,
    'concurrency.off': true,
  })
  const back = await off({ 'retry.off': null, 'retry.attempts': 3, 'concurrency.off': null })
  assert.equal(back.json['after'], written(', retry: { attempts: 3 }'))
})
