/** gRPC over HTTP/2, "Timeout": at most eight digits and a unit. */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const MAX = 99_999_999

/** Milliseconds per unit. */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }

/** The value of grpc-timeout in milliseconds; null if it is malformed. */
export function parseTimeout(text: string): number | null {
  const [, digits = '', unit = ''] = TIMEOUT.exec(text) ?? []
  const milliseconds = UNITS[unit]
  return milliseconds === undefined ? null : Number(digits) * milliseconds
}

/** Formats milliseconds for grpc-timeout: in the smallest unit that fits, rounded down, and at least 1u. */
export function formatTimeout(milliseconds: number): string {
  const micros = Math.floor(milliseconds * 1_000)
  if (micros <= MAX) return `${Math.max(1, micros)}u`
  if (milliseconds <= MAX) return `${Math.floor(milliseconds)}m`
  const seconds = Math.floor(milliseconds / 1_000)
  if (seconds <= MAX) return `${seconds}S`
  return `${Math.min(MAX, Math.floor(seconds / 3_600))}H`
}
