import type { IncomingHttpHeaders } from 'node:http'
import { reservationSchema } from '../inventory-service/reservation.ts'
import type { Reservation } from '../inventory-service/reservation.ts'
import { Problem } from '../support/problem.ts'
import { isObject, isValid } from '../support/schema.ts'

/** What the order service asks of the inventory service. */
export interface Stock {
  /** Sets products aside; throws a Problem with 409 or 422 as the inventory service has it, or with 503. */
  reserve(items: readonly { productId: string; quantity: number }[], headers: IncomingHttpHeaders): Promise<Reservation>
  /** Puts the products of a reservation back; one that is gone already is fine. Throws a Problem with 503. */
  release(reservationId: string, headers: IncomingHttpHeaders): Promise<void>
}

/** Longest wait for the inventory service, in milliseconds. */
const timeout = 5000

/** The stock behind the base URL of an inventory service. */
export function createStock(baseUrl: string): Stock {
  const url = `${baseUrl}/api/v1/inventory/reservations`
  return {
    async reserve(items, headers) {
      const response = await ask(url, {
        method: 'POST',
        headers: { ...passedOn(headers), 'Content-Type': 'application/json' },
        body: JSON.stringify({ items }),
      })
      const body: unknown = await response.json()
      if (response.status === 201 && isValid(reservationSchema, body)) return body
      const detail = isObject(body) ? body['detail'] : undefined
      const refused = response.status === 409 || response.status === 422
      if (refused && typeof detail === 'string') throw new Problem(response.status, detail)
      throw unavailable()
    },
    async release(reservationId, headers) {
      const response = await ask(`${url}/${encodeURIComponent(reservationId)}`, {
        method: 'DELETE',
        headers: passedOn(headers),
      })
      if (response.status !== 204 && response.status !== 404) throw unavailable()
    },
  }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeout) })
  } catch {
    throw unavailable()
  }
}

function unavailable(): Problem {
  return new Problem(503, 'The inventory service does not answer.', { headers: { 'Retry-After': '1' } })
}

/** The service's own identity, and what ties the call to the request that caused it. */
function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = { 'X-User-ID': 'order-service', 'X-User-Roles': 'service' }
  for (const name of ['x-correlation-id', 'traceparent', 'tracestate']) {
    const value = headers[name]
    if (typeof value === 'string') passed[name] = value
  }
  return passed
}
