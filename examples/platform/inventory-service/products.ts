import { endpoint, endpointWithBody, endpointWithQuery } from '../support/endpoint.ts'
import type { Endpoint } from '../support/endpoint.ts'
import { identifier } from '../support/fields.ts'
import { pageFields, pageOf, pageWindow } from '../support/page.ts'
import { Problem, notFound } from '../support/problem.ts'
import { object } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, transaction } from '../support/table.ts'
import { productFields, productSchema } from './database.ts'
import type { InventoryDatabase } from './database.ts'

const productChange = object('ProductChange', productFields)
const newProduct = object('NewProduct', { id: identifier('tea-cosy'), ...productFields })

/** What browsers, CDNs and the gateway may do with products. */
const cache = 'public, max-age=30'

/** The endpoints under /api/v1/products. */
export function productEndpoints(database: InventoryDatabase): Endpoint[] {
  const find = (id: string): Value<typeof productSchema> => {
    const product = database.products.first('id = :id', { id })
    if (!product) throw notFound('product', id)
    return product
  }
  return [
    endpointWithQuery(
      { ...pageFields, category: productFields.category },
      {
        id: 'listProducts',
        method: 'GET',
        path: '/api/v1/products',
        summary: 'All products, or those of a category',
        access: 'public',
        status: [200],
        reply: pageOf('ProductPage', productSchema),
        cache,
      },
      ({ query }) => {
        const category = query.category ?? null
        const where = ':category IS NULL OR category = :category'
        return { status: 200, body: database.products.page(where, { category }, pageWindow(query)) }
      },
    ),
    endpointWithBody(
      newProduct,
      {
        id: 'createProduct',
        method: 'POST',
        path: '/api/v1/products',
        summary: 'Adds a product, with none in stock',
        access: 'admin',
        status: [201],
        reply: productSchema,
        problems: [409],
      },
      ({ body }) => {
        const { id } = body
        if (database.products.first('id = :id', { id })) throw new Problem(409, `There is already a product ${id}.`)
        transaction(database.sql, () => {
          insert(database.sql, 'products', { ...body })
          insert(database.sql, 'levels', { productId: id, available: 0 })
        })
        return { status: 201, headers: { Location: `/api/v1/products/${id}` }, body }
      },
    ),
    endpoint(
      {
        id: 'getProduct',
        method: 'GET',
        path: '/api/v1/products/{id}',
        summary: 'One product',
        access: 'public',
        status: [200],
        reply: productSchema,
        problems: [404],
        cache,
      },
      ({ parameter }) => ({ status: 200, body: find(parameter('id')) }),
    ),
    endpointWithBody(
      productChange,
      {
        id: 'replaceProduct',
        method: 'PUT',
        path: '/api/v1/products/{id}',
        summary: 'Replaces everything but the identifier',
        access: 'admin',
        status: [200],
        reply: productSchema,
        problems: [404],
      },
      ({ parameter, body }) => {
        const product = { ...body, id: find(parameter('id')).id }
        const columns = Object.keys(body).map((column) => `${column} = :${column}`)
        database.sql.prepare(`UPDATE products SET ${columns.join(', ')} WHERE id = :id`).run(product)
        return { status: 200, body: product }
      },
    ),
    endpoint(
      {
        id: 'deleteProduct',
        method: 'DELETE',
        path: '/api/v1/products/{id}',
        summary: 'Removes a product and its stock',
        access: 'admin',
        status: [204],
        problems: [404],
      },
      ({ parameter }) => {
        const { id } = find(parameter('id'))
        database.sql.prepare('DELETE FROM products WHERE id = :id').run({ id })
        return { status: 204 }
      },
    ),
  ]
}
