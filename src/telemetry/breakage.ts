import { GatewayError } from '../core/errors.ts'

export const breakReasons = ['idle', 'service', 'client', 'gateway'] as const

/** Why a reply or a tunnel was aborted: `timeouts.idle`, the service, a client that is too slow, or the gateway. */
export type BreakReason = (typeof breakReasons)[number]

/** The reason for the abort, by the error that caused it. */
export function breakReason(cause: Error | null): BreakReason {
  if (!(cause instanceof GatewayError)) return 'gateway'
  return cause.code === 'gateway-timeout' ? 'idle' : cause.fault
}

/** The description of the reason in the log. */
export const breakDetails: Readonly<Record<BreakReason, string>> = {
  idle: 'nothing came for as long as timeouts.idle of the service',
  service: 'the service ended the connection, or what it sent was malformed',
  client: 'the client was too slow, or sent something malformed',
  gateway: 'the gateway could not continue',
}
