import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { byId, pageOf, paging } from '../support/fields.ts'
import { notFound, problem, Problem } from '../support/problem.ts'
import { insert, transaction } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { type InventoryDatabase, level } from './database.ts'
import { type Reservation, reservation, reservationInput, type ReservationInput } from './reservation.ts'

const byProduct = z.object({ productId: z.string() })
const levelChange = z.strictObject({ available: level.shape.available }).meta({ examples: [{ available: 25 }] })

/** The routes under /api/v1/inventory. */
export function inventoryRoutes(app: App, database: InventoryDatabase): void {
  const find = (productId: string): z.infer<typeof level> => {
    const row = database.levels.first('productId = :productId', { productId })
    if (!row) throw notFound('product', productId)
    return row
  }
  app.get(
    '/api/v1/inventory',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'listLevels',
        summary: 'The stock of every product',
        querystring: paging,
        response: { 200: pageOf(level) },
      },
    },
    ({ query }) => database.levels.page('true', {}, query),
  )
  app.get(
    '/api/v1/inventory/:productId',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'getLevel',
        summary: 'The stock of one product',
        params: byProduct,
        response: { 200: level },
      },
    },
    ({ params }) => find(params.productId),
  )
  app.put(
    '/api/v1/inventory/:productId',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'setLevel',
        summary: 'Sets the stock of one product',
        params: byProduct,
        body: levelChange,
        response: { 200: level },
      },
    },
    ({ params, body }) => {
      const row = { ...body, productId: find(params.productId).productId }
      database.sql.prepare('UPDATE levels SET available = :available WHERE productId = :productId').run(row)
      return row
    },
  )
  app.post(
    '/api/v1/inventory/reservations',
    {
      config: { access: 'service' },
      schema: {
        operationId: 'reserve',
        summary: 'Sets products aside for an order: all of them or none',
        body: reservationInput,
        response: { 201: reservation, 409: problem },
      },
    },
    async ({ body }, reply) => {
      const made = transaction(database.sql, () => reserve(database, body.items))
      return reply.code(201).header('Location', `/api/v1/inventory/reservations/${made.id}`).send(made)
    },
  )
  app.delete(
    '/api/v1/inventory/reservations/:id',
    {
      config: { access: 'service' },
      schema: {
        operationId: 'release',
        summary: 'Puts the products of a reservation back',
        params: byId,
        response: { 204: z.void() },
      },
    },
    async ({ params }, reply) => {
      transaction(database.sql, () => release(database, params.id))
      return reply.code(204).send()
    },
  )
}

function reserve(database: InventoryDatabase, lines: ReservationInput['items']): Reservation {
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
