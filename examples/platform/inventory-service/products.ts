import { z } from 'zod'
import { byId, pageOf, paging } from '../support/fields.ts'
import { notFound, problem, Problem } from '../support/problem.ts'
import { insert, transaction } from '../support/table.ts'
import type { App } from '../support/zod.ts'
import { type InventoryDatabase, product } from './database.ts'

const cosy = { name: 'Tea cosy', description: 'Keeps it warm.', category: 'kitchen', priceCents: 990, currency: 'EUR' }
const newProduct = z.strictObject(product.shape).meta({ examples: [{ id: 'tea-cosy', ...cosy }] })
const productChange = newProduct.omit({ id: true }).meta({ examples: [cosy] })

/** What browsers, CDNs and the gateway may do with products. */
const cache = 'public, max-age=30'

/** The routes under /api/v1/products. */
export function productRoutes(app: App, database: InventoryDatabase): void {
  const find = (id: string): z.infer<typeof product> => {
    const row = database.products.first('id = :id', { id })
    if (!row) throw notFound('product', id)
    return row
  }
  app.get(
    '/api/v1/products',
    {
      config: { access: 'public', cache },
      schema: {
        operationId: 'listProducts',
        summary: 'All products, or those of a category',
        querystring: paging.extend({ category: product.shape.category.optional() }),
        response: { 200: pageOf(product) },
      },
    },
    ({ query }) => {
      const category = query.category ?? null
      return database.products.page(':category IS NULL OR category = :category', { category }, query)
    },
  )
  app.post(
    '/api/v1/products',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'createProduct',
        summary: 'Adds a product, with none in stock',
        body: newProduct,
        response: { 201: product, 409: problem },
      },
    },
    async ({ body }, reply) => {
      const { id } = body
      if (database.products.first('id = :id', { id })) throw new Problem(409, `There is already a product ${id}.`)
      transaction(database.sql, () => {
        insert(database.sql, 'products', body)
        insert(database.sql, 'levels', { productId: id, available: 0 })
      })
      return reply.code(201).header('Location', `/api/v1/products/${id}`).send(body)
    },
  )
  app.get(
    '/api/v1/products/:id',
    {
      config: { access: 'public', cache },
      schema: { operationId: 'getProduct', summary: 'One product', params: byId, response: { 200: product } },
    },
    ({ params }) => find(params.id),
  )
  app.put(
    '/api/v1/products/:id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'replaceProduct',
        summary: 'Replaces everything but the identifier',
        params: byId,
        body: productChange,
        response: { 200: product },
      },
    },
    ({ params, body }) => {
      const row = { ...body, id: find(params.id).id }
      const columns = Object.keys(body).map((column) => `${column} = :${column}`)
      database.sql.prepare(`UPDATE products SET ${columns.join(', ')} WHERE id = :id`).run(row)
      return row
    },
  )
  app.delete(
    '/api/v1/products/:id',
    {
      config: { access: 'admin' },
      schema: {
        operationId: 'deleteProduct',
        summary: 'Removes a product and its stock',
        params: byId,
        response: { 204: z.void() },
      },
    },
    async ({ params }, reply) => {
      const { id } = find(params.id)
      database.sql.prepare('DELETE FROM products WHERE id = :id').run({ id })
      return reply.code(204).send()
    },
  )
}
