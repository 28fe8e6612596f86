import { DatabaseSync } from 'node:sqlite'
import { currency, identifier } from '../support/fields.ts'
import { integer, object, text } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { insert, reader } from '../support/table.ts'
import type { Reader } from '../support/table.ts'

/** What a product is, beside its identifier. */
export const productFields = {
  name: text('Teapot'),
  description: text('Holds one litre and answers 418.', { maxLength: 2000 }),
  category: text('kitchen', { maxLength: 50, pattern: /^[a-z][a-z0-9-]*$/ }),
  priceCents: integer(2450),
  currency,
}

/** A product as it is stored and as clients see it. */
export const productSchema = object('Product', { id: identifier('teapot'), ...productFields })

/** How many of a product can be ordered. */
export const levelSchema = object('Level', { productId: identifier('teapot'), available: integer(40) })

const reservedRow = object('ReservedRow', {
  reservationId: identifier('reservation'),
  productId: identifier('teapot'),
  quantity: integer(2),
})

/** The tables of the inventory service; instances that share one serve the same stock. */
export interface InventoryDatabase {
  readonly sql: DatabaseSync
  readonly products: Reader<Value<typeof productSchema>>
  readonly levels: Reader<Value<typeof levelSchema>>
  readonly reserved: Reader<Value<typeof reservedRow>>
}

const seeds = [
  {
    id: 'teapot',
    name: 'Teapot',
    description: 'Holds one litre and answers 418.',
    category: 'kitchen',
    priceCents: 2450,
  },
  { id: 'cup', name: 'Cup', description: 'Thin white porcelain.', category: 'kitchen', priceCents: 890 },
  {
    id: 'pocket-watch',
    name: 'Pocket watch',
    description: 'Always a little late.',
    category: 'clocks',
    priceCents: 12900,
  },
  { id: 'top-hat', name: 'Top hat', description: 'In this style, 10/6.', category: 'clothes', priceCents: 5400 },
  { id: 'playing-cards', name: 'Playing cards', description: 'A full pack of 52.', category: 'games', priceCents: 750 },
  { id: 'croquet-set', name: 'Croquet set', description: 'No flamingos.', category: 'games', priceCents: 8900 },
]

/** A database in memory with six products, 40 of each in stock. */
export function openInventoryDatabase(): InventoryDatabase {
  const sql = new DatabaseSync(':memory:')
  sql.exec(`
    CREATE TABLE products (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, category TEXT NOT NULL,
      priceCents INTEGER NOT NULL, currency TEXT NOT NULL
    ) STRICT;
    CREATE TABLE levels (
      productId TEXT PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
      available INTEGER NOT NULL CHECK (available >= 0)
    ) STRICT;
    CREATE TABLE reserved (
      reservationId TEXT NOT NULL, productId TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE,
      quantity INTEGER NOT NULL, PRIMARY KEY (reservationId, productId)
    ) STRICT;
  `)
  for (const seed of seeds) {
    insert(sql, 'products', { ...seed, currency: 'EUR' })
    insert(sql, 'levels', { productId: seed.id, available: 40 })
  }
  return {
    sql,
    products: reader(sql, 'products', productSchema, 'id'),
    levels: reader(sql, 'levels', levelSchema, 'productId'),
    reserved: reader(sql, 'reserved', reservedRow, 'productId'),
  }
}
