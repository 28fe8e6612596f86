import { randomUUID } from 'node:crypto'
import { endpoint, endpointWithBody, endpointWithQuery } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { Problem, notFound } from '../support/problem.ts'
import { integer, object } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, transaction } from '../support/table.ts'
import { levelSchema } from './database.ts'
import type { InventoryDatabase } from './database.ts'
import { reservationInput, reservationSchema } from './reservation.ts'
import type { Line, Reservation } from './reservation.ts'

/** The endpoints under /api/v1/inventory. */
export function inventoryEndpoints(database: InventoryDatabase): Endpoint[] {
  const find = (productId: string): Value<typeof levelSchema> => {
    const level = database.levels.first('productId = :productId', { productId })
    if (!level) throw notFound('product', productId)
    return level
  }
  return [
    endpointWithQuery(
      pageFields,
      {
        id: 'listLevels',
        method: 'GET',
        path: '/api/v1/inventory',
        summary: 'The stock of every product',
        access: 'public',
        status: [200],
        reply: pageOf('LevelPage', levelSchema),
      },
      ({ query }) => ({ status: 200, body: database.levels.page('true', {}, pageWindow(query)) }),
    ),
    endpoint(
      {
        id: 'getLevel',
        method: 'GET',
        path: '/api/v1/inventory/{productId}',
        summary: 'The stock of one product',
        access: 'public',
        status: [200],
        reply: levelSchema,
        problems: [404],
      },
      ({ parameter }) => ({ status: 200, body: find(parameter('productId')) }),
    ),
    endpointWithBody(
      object('LevelChange', { available: integer(25) }),
      {
        id: 'setLevel',
        method: 'PUT',
        path: '/api/v1/inventory/{productId}',
        summary: 'Sets the stock of one product',
        access: 'admin',
        status: [200],
        reply: levelSchema,
        problems: [404],
      },
      ({ parameter, body }) => {
        const level = { ...body, productId: find(parameter('productId')).productId }
        database.sql.prepare('UPDATE levels SET available = :available WHERE productId = :productId').run(level)
        return { status: 200, body: level }
      },
    ),
    endpointWithBody(
      reservationInput,
      {
        id: 'reserve',
        method: 'POST',
        path: '/api/v1/inventory/reservations',
        summary: 'Sets products aside for an order: all of them or none',
        access: 'service',
        status: [201],
        reply: reservationSchema,
        problems: [409],
      },
      ({ body }) => {
        const reservation = transaction(database.sql, () => reserve(database, body.items))
        const location = `/api/v1/inventory/reservations/${reservation.id}`
        return { status: 201, headers: { Location: location }, body: reservation }
      },
    ),
    endpoint(
      {
        id: 'release',
        method: 'DELETE',
        path: '/api/v1/inventory/reservations/{id}',
        summary: 'Puts the products of a reservation back',
        access: 'service',
        status: [204],
        problems: [404],
      },
      ({ parameter }) => {
        transaction(database.sql, () => release(database, parameter('id')))
        return { status: 204 }
      },
    ),
  ]
}

function reserve(database: InventoryDatabase, lines: readonly Line[]): Reservation {
  const id = randomUUID()
  const items = lines.map(({ productId, quantity }, index) => {
    const product = database.products.first('id = :productId', { productId })
    if (!product) {
      const errors = [{ pointer: `#/items/${index}/productId`, detail: 'is not a product' }]
      throw new Problem(422, `There is no product ${productId}.`, { errors })
    }
    if (lines.findIndex((line) => line.productId === productId) !== index) {
      const errors = [{ pointer: `#/items/${index}/productId`, detail: 'is there twice' }]
      throw new Problem(422, `The product ${productId} is there twice: add up the quantities.`, { errors })
    }
    const { changes } = database.sql
      .prepare(
        'UPDATE levels SET available = available - :quantity WHERE productId = :productId AND available >= :quantity',
      )
      .run({ productId, quantity })
    if (changes === 0) throw new Problem(409, `There are not ${quantity} of ${productId} in stock.`)
    insert(database.sql, 'reserved', { reservationId: id, productId, quantity })
    return { productId, name: product.name, quantity, unitPriceCents: product.priceCents, currency: product.currency }
  })
  return { id, items }
}

function release(database: InventoryDatabase, id: string): void {
  const rows = database.reserved.all('reservationId = :id', { id })
  if (rows.length === 0) throw notFound('reservation', id)
  const putBack = database.sql.prepare(
    'UPDATE levels SET available = available + :quantity WHERE productId = :productId',
  )
  for (const { productId, quantity } of rows) putBack.run({ productId, quantity })
  database.sql.prepare('DELETE FROM reserved WHERE reservationId = :id').run({ id })
}
