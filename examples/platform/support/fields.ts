import { text } from './schema.ts'
import type { Schema } from './schema.ts'

/** Identifies a resource: a UUID, or a readable word in the seed data. */
export function identifier(example: string): Schema<string> {
  return text(example, { maxLength: 64, pattern: /^[A-Za-z0-9_.-]+$/ })
}

/** A moment in UTC as ISO 8601 writes it. */
export const timestamp: Schema<string> = text('2026-01-15T10:30:00.000Z', { format: 'date-time' })

/** An ISO 4217 currency code. */
export const currency: Schema<string> = text('EUR', { pattern: /^[A-Z]{3}$/ })

/** An e-mail address, checked for its shape only. */
export const email: Schema<string> = text('carol@example.com', {
  maxLength: 254,
  pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  format: 'email',
})
