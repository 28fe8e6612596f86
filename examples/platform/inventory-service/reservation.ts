import { identifier } from '../support/fields.ts'
import { integer, list, object } from '../support/schema.ts'
import type { Value } from '../support/schema.ts'
import { productFields } from './database.ts'

const lineSchema = object('Line', {
  productId: identifier('teapot'),
  quantity: integer(2, { minimum: 1, maximum: 1000 }),
})

/** What is asked of the stock. */
export const reservationInput = object('ReservationInput', { items: list(lineSchema, { minItems: 1, maxItems: 50 }) })

/** What is set aside, at the prices of that moment. */
export const reservationSchema = object('Reservation', {
  id: identifier('9b2e8f1c-52a1-4c55-a3c5-0d1d1f9b7a10'),
  items: list(
    object('ReservedItem', {
      productId: identifier('teapot'),
      name: productFields.name,
      quantity: integer(2, { minimum: 1 }),
      unitPriceCents: integer(2450),
      currency: productFields.currency,
    }),
  ),
})

/** How many of which product. */
export type Line = Value<typeof lineSchema>

/** What is set aside, at the prices of that moment. */
export type Reservation = Value<typeof reservationSchema>
