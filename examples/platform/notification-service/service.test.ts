import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ask, objectsIn, textIn } from '../support/test-client.ts'
import { createNotificationService } from './service.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const instance = await createNotificationService({ instance: 'notification-1', port: 0, jwtSecret })
const { url } = instance
after(() => instance.close())

test('a service notifies a user, who reads and removes it', async () => {
  const json = { userId: 'user-alice', title: 'Tea', text: 'It is six.' }
  assert.equal((await ask(url, '/api/v1/notifications', { as: 'user-alice', json })).status, 403)
  const sent = await ask(url, '/api/v1/notifications', { as: 'order-service', json })
  assert.equal(sent.status, 201)
  const path = `/api/v1/notifications/${textIn(sent.json, 'id')}`
  assert.equal(sent.headers.get('location'), path)
  const { json: page } = await ask(url, '/api/v1/notifications', { as: 'user-alice' })
  assert.equal(objectsIn(page, 'items')[0]?.['title'], 'Tea')
  const mark = (read: boolean) => ask(url, path, { method: 'PATCH', as: 'user-alice', json: { read } })
  assert.equal(typeof (await mark(true)).json['readAt'], 'string')
  assert.equal((await mark(false)).json['readAt'], null)
  assert.equal((await ask(url, path, { as: 'order-service' })).status, 404)
  assert.equal((await ask(url, path, { method: 'DELETE', as: 'user-alice' })).status, 204)
  assert.equal((await ask(url, path, { as: 'user-alice' })).status, 404)
})

test('a mail is in the outbox of its sender and of admins', async () => {
  const json = { to: 'hatter@example.com', subject: 'Tea', text: 'It is six.' }
  const sent = await ask(url, '/api/v1/email', { as: 'user-alice', json })
  assert.equal(sent.status, 201)
  const path = `/api/v1/email/${textIn(sent.json, 'id')}`
  assert.deepEqual((await ask(url, path, { as: 'user-alice' })).json, sent.json)
  assert.equal((await ask(url, path, { as: 'order-service' })).status, 404)
  assert.equal((await ask(url, '/api/v1/email', { as: 'user-alice' })).json['total'], 1)
  assert.equal((await ask(url, '/api/v1/email', { as: 'user-admin' })).json['total'], 2)
})

test('an email to an invalid address is 422, and one without a user 401', async () => {
  const json = { to: 'hatter', subject: 'Tea', text: 'It is six.' }
  const answer = await ask(url, '/api/v1/email', { as: 'user-alice', json })
  assert.deepEqual(
    objectsIn(answer.json, 'errors').map((error) => error['pointer']),
    ['#/to'],
  )
  assert.equal((await ask(url, '/api/v1/email', { json })).status, 401)
  assert.equal((await ask(url, '/api/v1/notifications')).status, 401)
})
