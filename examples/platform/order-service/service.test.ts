import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createInventoryService } from '../inventory-service/service.ts'
import { issuer, signToken } from '../support/jwt.ts'
import { type Answer, ask, objectsIn, textIn } from '../support/test-client.ts'
import { createOrderService } from './service.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const inventory = await createInventoryService({ instance: 'inventory-1', port: 0, jwtSecret })
const instance = await createOrderService({ instance: 'order-1', port: 0, jwtSecret, inventoryUrl: inventory.url })
const { url } = instance
after(() => Promise.all([instance.close(), inventory.close()]))

/** The owner, an admin, and another user. */
const callers = ['user-alice', 'user-admin', 'order-service'] as const
const twoTeapots = { items: [{ productId: 'teapot', quantity: 2 }] }

test('an order belongs to its user, has the current prices and takes from the stock', async () => {
  const placed = await ask(url, '/api/v1/orders', { as: 'user-alice', json: twoTeapots })
  assert.equal(placed.status, 201)
  assert.equal(placed.headers.get('location'), `/api/v1/orders/${textIn(placed.json, 'id')}`)
  assert.equal(placed.json['userId'], 'user-alice')
  assert.equal(placed.json['totalCents'], 4900)
  assert.equal(objectsIn(placed.json, 'items')[0]?.['name'], 'Teapot')
  assert.equal(await teapots(), 38)
  const read = await ask(url, `/api/v1/orders/${textIn(placed.json, 'id')}`, { as: 'user-alice' })
  assert.deepEqual(read.json, placed.json)
})

test('cancelling an order restores the stock, once', async () => {
  const before = await teapots()
  const { json: placed } = await ask(url, '/api/v1/orders', { as: 'user-alice', json: twoTeapots })
  const change = { method: 'PATCH', as: 'user-alice', json: { status: 'cancelled' } } as const
  const path = `/api/v1/orders/${textIn(placed, 'id')}`
  assert.equal((await ask(url, path, change)).json['status'], 'cancelled')
  assert.equal((await ask(url, path, change)).status, 409)
  assert.equal(await teapots(), before)
})

test('only an admin can advance an order', async () => {
  const { json: placed } = await ask(url, '/api/v1/orders', { as: 'user-alice', json: twoTeapots })
  const path = `/api/v1/orders/${textIn(placed, 'id')}`
  const pay = { method: 'PATCH', json: { status: 'paid' } }
  assert.equal((await ask(url, path, { ...pay, as: 'user-alice' })).status, 403)
  assert.equal((await ask(url, path, { ...pay, as: 'user-admin' })).json['status'], 'paid')
})

test('an order is rejected if its reservation is', async () => {
  const tooMany = await order('cup', 999)
  assert.equal(tooMany.status, 409)
  assert.match(textIn(tooMany.json, 'detail'), /999 of cup/)
  assert.equal((await order('jam', 1)).status, 422)
})

test('an order without items is 422', async () => {
  const answer = await ask(url, '/api/v1/orders', { as: 'user-alice', json: { items: [] } })
  assert.deepEqual(objectsIn(answer.json, 'errors'), [
    { pointer: '#/items', detail: 'Too small: expected array to have >=1 items' },
  ])
})

test('orders and their items are visible to their user and to admins', async () => {
  assert.equal((await ask(url, '/api/v1/orders')).status, 401)
  assert.equal((await ask(url, '/api/v1/order-items')).status, 401)
  assert.deepEqual(await statuses('/api/v1/orders/order-1001'), [200, 200, 404])
  assert.deepEqual(await statuses('/api/v1/order-items/order-1001-1'), [200, 200, 404])
  const items = await ask(url, '/api/v1/order-items?orderId=order-1001', { as: 'user-alice' })
  assert.equal(items.json['total'], 1)
  assert.equal((await ask(url, '/api/v1/orders', { as: 'order-service' })).json['total'], 0)
})

test('orders are listed newest first, and filtered by status', async () => {
  const all = await ask(url, '/api/v1/orders', { as: 'user-alice' })
  assert.equal(objectsIn(all.json, 'items').at(-1)?.['id'], 'order-1001')
  const shipped = await ask(url, '/api/v1/orders?status=shipped', { as: 'user-alice' })
  assert.deepEqual(
    objectsIn(shipped.json, 'items').map((each) => each['id']),
    ['order-1001'],
  )
  assert.equal((await ask(url, '/api/v1/orders?status=lost', { as: 'user-alice' })).status, 400)
})

test('the bearer token is verified when there is no gateway', async () => {
  const exp = Math.floor(Date.now() / 1000) + 60
  const claims = { iss: issuer, sub: 'user-alice', roles: ['user'], jti: 'a', iat: exp - 120, exp }
  const read = async (secret: string) => {
    const headers = { Authorization: `Bearer ${await signToken(claims, secret)}` }
    return ask(url, '/api/v1/orders/order-1001', { headers })
  }
  assert.equal((await read(jwtSecret)).status, 200)
  assert.equal((await read('another secret of thirty-two characters')).status, 401)
})

test('an order is 503 when the inventory service does not respond', async (t) => {
  const removed = await createInventoryService({ instance: 'gone', port: 0, jwtSecret })
  await removed.close()
  const lonely = await createOrderService({ instance: 'order-2', port: 0, jwtSecret, inventoryUrl: removed.url })
  t.after(() => lonely.close())
  const answer = await ask(lonely.url, '/api/v1/orders', { as: 'user-alice', json: twoTeapots })
  assert.equal(answer.status, 503)
  assert.equal(answer.headers.get('retry-after'), '1')
})

async function teapots(): Promise<unknown> {
  return (await ask(inventory.url, '/api/v1/inventory/teapot')).json['available']
}

function order(productId: string, quantity: number): Promise<Answer> {
  return ask(url, '/api/v1/orders', { as: 'user-alice', json: { items: [{ productId, quantity }] } })
}

async function statuses(path: string): Promise<number[]> {
  const answers = await Promise.all(callers.map((as) => ask(url, path, { as })))
  return answers.map(({ status }) => status)
}
