import type { IncomingHttpHeaders } from 'node:http'
import { type Reservation, reservation, type ReservationInput } from '../inventory-service/reservation.ts'
import { problem, Problem } from '../support/problem.ts'

/** What the order service asks of the inventory service. */
export interface Stock {
  /** Sets products aside; throws a Problem with 409 or 422 as the inventory service has it, or with 503. */
  reserve(wanted: ReservationInput, headers: IncomingHttpHeaders): Promise<Reservation>
  /** Puts the products of a reservation back; does nothing if there is none any more. Throws a Problem with 503. */
  release(reservationId: string, headers: IncomingHttpHeaders): Promise<void>
}

/** Longest wait for the inventory service, in milliseconds. */
const timeout = 5000

/** The stock behind the base URL of an inventory service. */
export function createStock(baseUrl: string): Stock {
  const url = `${baseUrl}/api/v1/inventory/reservations`
  return {
    async reserve(wanted, headers) {
      const response = await ask(url, {
        method: 'POST',
        headers: { ...passedOn(headers), 'Content-Type': 'application/json' },
        body: JSON.stringify(wanted),
      })
      const body: unknown = await response.json()
      if (response.status === 201) return reservation.parse(body)
      const { data: refusal } = problem.safeParse(body)
      if (refusal?.status === 409 || refusal?.status === 422) throw new Problem(refusal.status, refusal.detail)
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
