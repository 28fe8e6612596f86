import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, test } from 'node:test'
import { type Answer, ask, isObject, type JsonObject, objectsIn, textIn } from '../support/test-client.ts'
import { openUserDatabase } from './database.ts'
import { createUserService } from './service.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const start = Date.parse('2026-02-01T12:00:00Z')
let now = start
const database = await openUserDatabase()
const options = { port: 0, jwtSecret, database, now: () => now }
const instance = await createUserService({ ...options, instance: 'user-1' })
const guarded = await createUserService({ ...options, instance: 'user-2', introspectionSecret: 'between us' })
const { url } = instance
after(() => Promise.all([instance.close(), guarded.close()]))

test('a registered user can log in, and has the role user', async () => {
  const json = { email: 'Carol@Example.com', name: 'Carol', password: 'correct horse' }
  const registered = await ask(url, '/api/v1/auth/register', { json })
  assert.equal(registered.status, 201)
  assert.equal(registered.headers.get('location'), `/api/v1/users/${textIn(registered.json, 'id')}`)
  assert.deepEqual(registered.json['roles'], ['user'])
  assert.equal('passwordHash' in registered.json, false)
  const { json: session } = await login('carol@example.com', 'correct horse')
  const me = await ask(guarded.url, '/api/v1/auth/me', bearer(session))
  assert.equal(me.json['email'], 'carol@example.com')
})

test('an email address can register only once, regardless of case', async () => {
  const json = { email: 'ALICE@example.com', name: 'Alice', password: 'correct horse' }
  assert.equal((await ask(url, '/api/v1/auth/register', { json })).status, 409)
})

test('an incomplete registration is answered with what is missing', async () => {
  const answer = await ask(url, '/api/v1/auth/register', { json: { email: 'no address', password: 'short' } })
  assert.equal(answer.status, 422)
  const pointers = objectsIn(answer.json, 'errors').map((error) => error['pointer'])
  assert.deepEqual(pointers, ['#/email', '#/name', '#/password'])
})

test('a wrong password and an unknown address get the same 401', async () => {
  const wrong = await login('alice@example.com', 'looking-glass')
  const unknown = await login('nobody@example.com', 'wonderland')
  assert.equal(wrong.status, 401)
  assert.deepEqual(wrong.json, unknown.json)
})

test('the token is a JWT signed with HS256 that is valid for an hour', async () => {
  const { json: session } = await login('admin@example.com', 'administrator')
  const [header = '', payload = '', signature] = textIn(session, 'token').split('.')
  assert.deepEqual(decode(header), { alg: 'HS256', typ: 'JWT' })
  assert.equal(signature, createHmac('sha256', jwtSecret).update(`${header}.${payload}`).digest('base64url'))
  const { jti, ...claims } = decode(payload)
  assert.equal(typeof jti, 'string')
  const iat = start / 1000
  assert.deepEqual(claims, { iss: 'user-service', sub: 'user-admin', roles: ['user', 'admin'], iat, exp: iat + 3600 })
  assert.equal(session['expiresIn'], 3600)
})

test('a token is rejected if it has expired, is forged or has alg none', async (t) => {
  t.after(() => {
    now = start
  })
  const { json: session } = await login('alice@example.com', 'wonderland')
  const [header, payload] = textIn(session, 'token').split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const tokens = [`${header}.${payload}.AAAA`, `${none}.${payload}.`, 'nonsense']
  for (const answer of await Promise.all(tokens.map((token) => ask(url, '/api/v1/auth/me', bearer({ token }))))) {
    assert.equal(answer.status, 401)
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
  assert.equal((await ask(url, '/api/v1/auth/me', bearer(session))).status, 200)
  now = start + 3600_000
  assert.equal((await ask(url, '/api/v1/auth/me', bearer(session))).status, 401)
})

test('login works although an expired token is still sent', async () => {
  const json = { email: 'alice@example.com', password: 'wonderland' }
  const answer = await ask(url, '/api/v1/auth/login', { json, ...bearer({ token: 'expired' }) })
  assert.equal(answer.status, 200)
})

test('a refresh token works only once', async () => {
  const { json: session } = await login('alice@example.com', 'wonderland')
  const json = { refreshToken: textIn(session, 'refreshToken') }
  const renewed = await ask(url, '/api/v1/auth/refresh', { json })
  assert.equal(renewed.status, 200)
  assert.equal((await ask(url, '/api/v1/auth/me', bearer(renewed.json))).status, 200)
  assert.equal((await ask(url, '/api/v1/auth/refresh', { json })).status, 401)
})

test('logout revokes the token and its refresh token, at every instance', async () => {
  const { json: session } = await login('alice@example.com', 'wonderland')
  assert.equal((await ask(url, '/api/v1/auth/logout', { method: 'POST', ...bearer(session) })).status, 204)
  assert.equal((await ask(guarded.url, '/api/v1/auth/me', bearer(session))).status, 401)
  assert.deepEqual((await introspect(url, textIn(session, 'token'))).json, { active: false })
  const json = { refreshToken: textIn(session, 'refreshToken') }
  assert.equal((await ask(url, '/api/v1/auth/refresh', { json })).status, 401)
})

test('introspection describes an active token', async () => {
  const { json: session } = await login('alice@example.com', 'wonderland')
  const { status, json } = await introspect(url, textIn(session, 'token'))
  assert.equal(status, 200)
  assert.equal(json['active'], true)
  assert.equal(json['sub'], 'user-alice')
  assert.deepEqual(json['roles'], ['user'])
  assert.equal(json['token_type'], 'Bearer')
  assert.deepEqual((await introspect(url, 'nonsense')).json, { active: false })
})

test('introspection with a secret answers only callers who know it', async () => {
  const wrong = await introspect(guarded.url, 'nonsense', 'Basic Z2F0ZXdheTp3cm9uZw==')
  assert.equal(wrong.status, 401)
  assert.match(wrong.headers.get('www-authenticate') ?? '', /^Basic/)
  assert.equal((await introspect(guarded.url, 'nonsense')).status, 401)
  const right = `Basic ${Buffer.from('gateway:between us').toString('base64')}`
  assert.deepEqual((await introspect(guarded.url, 'nonsense', right)).json, { active: false })
})

test('users are listed for admins, paginated', async () => {
  const page = await ask(url, '/api/v1/users?limit=1&offset=1', { as: 'user-admin' })
  assert.equal(page.status, 200)
  assert.equal(objectsIn(page.json, 'items').length, 1)
  assert.equal(page.json['offset'], 1)
  assert.equal((await ask(url, '/api/v1/users', { as: 'user-alice' })).status, 403)
  assert.equal((await ask(url, '/api/v1/users')).status, 401)
})

test('users can see and change only themselves', async () => {
  assert.equal((await ask(url, '/api/v1/users/user-alice', { as: 'user-alice' })).status, 200)
  assert.equal((await ask(url, '/api/v1/users/user-admin', { as: 'user-alice' })).status, 404)
  const path = '/api/v1/users/user-alice'
  const renamed = await ask(url, path, { method: 'PATCH', as: 'user-alice', json: { name: 'Alice L.' } })
  assert.equal(renamed.json['name'], 'Alice L.')
  const promoted = await ask(url, path, { method: 'PATCH', as: 'user-alice', json: { roles: ['admin'] } })
  assert.equal(promoted.status, 403)
})

test('a tier set by an admin is in the next token, and not in earlier ones', async () => {
  const change = { method: 'PATCH', as: 'user-admin', json: { tier: 'gold' } } as const
  assert.equal((await ask(url, '/api/v1/users/user-alice', change)).json['tier'], 'gold')
  const { json: session } = await login('alice@example.com', 'wonderland')
  assert.equal(decode(textIn(session, 'token').split('.')[1] ?? '')['tier'], 'gold')
})

test('the token of a deleted user is not active', async () => {
  const json = { email: 'dodo@example.com', name: 'Dodo', password: 'correct horse' }
  const { json: user } = await ask(url, '/api/v1/users', { json, as: 'user-admin' })
  const { json: session } = await login('dodo@example.com', 'correct horse')
  const path = `/api/v1/users/${textIn(user, 'id')}`
  assert.equal((await ask(url, path, { method: 'DELETE', as: 'user-admin' })).status, 204)
  assert.deepEqual((await introspect(url, textIn(session, 'token'))).json, { active: false })
})

test('roles are listed and found, and can be added once', async () => {
  const { json } = await ask(url, '/api/v1/roles', { as: 'user-alice' })
  assert.deepEqual(
    objectsIn(json, 'items').map((role) => role['name']),
    ['admin', 'service', 'user'],
  )
  const role = { name: 'auditor', description: 'Reads everything' }
  assert.equal((await ask(url, '/api/v1/roles', { as: 'user-admin', json: role })).status, 201)
  assert.equal((await ask(url, '/api/v1/roles', { as: 'user-admin', json: role })).status, 409)
  assert.deepEqual((await ask(url, '/api/v1/roles/auditor', { as: 'user-alice' })).json, role)
})

function login(email: string, password: string): Promise<Answer> {
  return ask(url, '/api/v1/auth/login', { json: { email, password } })
}

function introspect(base: string, token: string, authorization?: string): Promise<Answer> {
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    ...(authorization !== undefined && { Authorization: authorization }),
  }
  return ask(base, '/api/v1/auth/introspect', { headers, body: new URLSearchParams({ token }).toString() })
}

function bearer(session: JsonObject): { headers: { Authorization: string } } {
  return { headers: { Authorization: `Bearer ${textIn(session, 'token')}` } }
}

function decode(part: string): JsonObject {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  assert.ok(isObject(value))
  return value
}
