import { z } from 'zod'
import { identifier, whole } from '../support/fields.ts'
import { product } from './database.ts'

/** A request for stock. */
export const reservationInput = z
  .strictObject({
    items: z
      .strictObject({ productId: identifier, quantity: whole(1, 1000) })
      .array()
      .min(1)
      .max(50),
  })
  .meta({ examples: [{ items: [{ productId: 'teapot', quantity: 2 }] }] })

const { name, priceCents, currency } = product.shape

/** What is set aside, at the prices of that moment. */
export const reservation = z
  .object({
    id: identifier,
    items: z.object({ productId: identifier, name, quantity: whole(1), unitPriceCents: priceCents, currency }).array(),
  })
  .meta({ id: 'Reservation' })

/** A request for stock. */
export type ReservationInput = z.infer<typeof reservationInput>

/** What is set aside, at the prices of that moment. */
export type Reservation = z.infer<typeof reservation>
