import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Answer, ask, objectsIn, textIn } from '../support/test-client.ts'
import { createInventoryService } from './service.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const instance = await createInventoryService({ instance: 'inventory-1', port: 0, jwtSecret })
const { url } = instance
after(() => instance.close())

const cosy = { name: 'Tea cosy', description: 'Warm.', category: 'kitchen', priceCents: 990, currency: 'EUR' }

test('products are public, paginated, filtered by category, and cacheable', async () => {
  const page = await ask(url, '/api/v1/products?limit=1&offset=1&category=games')
  assert.equal(page.status, 200)
  assert.equal(page.json['total'], 2)
  assert.deepEqual(
    objectsIn(page.json, 'items').map((product) => product['id']),
    ['playing-cards'],
  )
  assert.match(page.headers.get('cache-control') ?? '', /^public, max-age=\d+$/)
  const etag = page.headers.get('etag') ?? ''
  const again = await ask(url, '/api/v1/products?limit=1&offset=1&category=games', {
    headers: { 'If-None-Match': etag },
  })
  assert.equal(again.status, 304)
})

test('a changed product has another ETag', async () => {
  const before = await ask(url, '/api/v1/products/top-hat')
  const json = { ...cosy, name: 'Bowler hat' }
  const changed = await ask(url, '/api/v1/products/top-hat', { method: 'PUT', as: 'user-admin', json })
  assert.deepEqual(changed.json, { id: 'top-hat', ...json })
  const later = await ask(url, '/api/v1/products/top-hat')
  assert.equal(later.json['name'], 'Bowler hat')
  assert.notEqual(later.headers.get('etag'), before.headers.get('etag'))
})

test('admins add and remove products, others do not', async () => {
  const json = { id: 'tea-cosy', ...cosy }
  assert.equal((await ask(url, '/api/v1/products', { json })).status, 401)
  assert.equal((await ask(url, '/api/v1/products', { json, as: 'user-alice' })).status, 403)
  const added = await ask(url, '/api/v1/products', { json, as: 'user-admin' })
  assert.equal(added.status, 201)
  assert.equal(added.headers.get('location'), '/api/v1/products/tea-cosy')
  assert.equal((await ask(url, '/api/v1/products', { json, as: 'user-admin' })).status, 409)
  assert.equal((await ask(url, '/api/v1/inventory/tea-cosy')).json['available'], 0)
  const path = '/api/v1/products/tea-cosy'
  assert.equal((await ask(url, path, { method: 'DELETE', as: 'user-admin' })).status, 204)
  assert.equal((await ask(url, path)).status, 404)
  assert.equal((await ask(url, '/api/v1/inventory/tea-cosy')).status, 404)
})

test('a reservation takes from the stock, and releasing it restores the stock', async () => {
  const json = {
    items: [
      { productId: 'cup', quantity: 4 },
      { productId: 'teapot', quantity: 1 },
    ],
  }
  const reserved = await ask(url, '/api/v1/inventory/reservations', { json, as: 'order-service' })
  assert.equal(reserved.status, 201)
  assert.equal(objectsIn(reserved.json, 'items')[0]?.['unitPriceCents'], 890)
  assert.equal(await available('cup'), 36)
  const path = `/api/v1/inventory/reservations/${textIn(reserved.json, 'id')}`
  assert.equal((await ask(url, path, { method: 'DELETE', as: 'order-service' })).status, 204)
  assert.equal(await available('cup'), 40)
  assert.equal((await ask(url, path, { method: 'DELETE', as: 'order-service' })).status, 404)
})

test('a reservation is all or nothing', async () => {
  assert.equal((await reserve('cup', 41)).status, 409)
  assert.equal((await reserve('jam', 1)).status, 422)
  assert.equal((await reserve('playing-cards', 1)).status, 422)
  assert.equal(await available('playing-cards'), 40)
})

test('only services and admins can reserve', async () => {
  const json = { items: [{ productId: 'cup', quantity: 1 }] }
  assert.equal((await ask(url, '/api/v1/inventory/reservations', { json, as: 'user-alice' })).status, 403)
})

test('an admin can set the stock', async () => {
  const change = { method: 'PUT', as: 'user-admin' } as const
  const set = await ask(url, '/api/v1/inventory/croquet-set', { ...change, json: { available: 3 } })
  assert.deepEqual(set.json, { productId: 'croquet-set', available: 3 })
  assert.equal((await ask(url, '/api/v1/inventory/croquet-set', { ...change, json: { available: -1 } })).status, 422)
  assert.equal(await available('croquet-set'), 3)
})

async function available(productId: string): Promise<unknown> {
  return (await ask(url, `/api/v1/inventory/${productId}`)).json['available']
}

function reserve(productId: string, quantity: number): Promise<Answer> {
  const json = {
    items: [
      { productId: 'playing-cards', quantity: 1 },
      { productId, quantity },
    ],
  }
  return ask(url, '/api/v1/inventory/reservations', { json, as: 'order-service' })
}
