import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { currency, identifier, text, whole, word } from '../support/fields.ts'
import { insert, reader } from '../support/table.ts'

const seeds = [
  { id: 'teapot', name: 'Teapot', description: 'Holds one litre, says 418.', category: 'kitchen', priceCents: 2450 },
  { id: 'cup', name: 'Cup', description: 'Thin white porcelain.', category: 'kitchen', priceCents: 890 },
  { id: 'pocket-watch', name: 'Pocket watch', description: 'A little late.', category: 'clocks', priceCents: 12900 },
  { id: 'top-hat', name: 'Top hat', description: 'In this style, 10/6.', category: 'clothes', priceCents: 5400 },
  { id: 'playing-cards', name: 'Playing cards', description: 'A full pack of 52.', category: 'games', priceCents: 750 },
  { id: 'croquet-set', name: 'Croquet set', description: 'No flamingos.', category: 'games', priceCents: 8900 },
]

/** A product as it is stored and as clients see it. */
export const product = z
  .object({
    id: identifier,
    name: text(),
    description: text(2000),
    category: word,
    priceCents: whole(),
    currency,
  })
  .meta({ id: 'Product', examples: [{ ...seeds[0], currency: 'EUR' }] })

/** How many of a product can be ordered. */
export const level = z
  .object({ productId: identifier, available: whole() })
  .meta({ id: 'Level', examples: [{ productId: 'teapot', available: 40 }] })

const reservedRow = z.object({ reservationId: z.string(), productId: z.string(), quantity: z.int() })

/** The tables of the inventory service; instances that share one serve the same stock. */
export type InventoryDatabase = ReturnType<typeof openInventoryDatabase>

/** A database in memory with six products, 40 of each in stock. */
export function openInventoryDatabase() {
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
    products: reader(sql, 'products', product, 'id'),
    levels: reader(sql, 'levels', level, 'productId'),
    reserved: reader(sql, 'reserved', reservedRow, 'productId'),
  }
}
