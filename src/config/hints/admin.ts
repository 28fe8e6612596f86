import { isLoopback } from '../admin-schema.ts'
import type { HintRule } from './hint.ts'

/** An admin listener that other machines reach, and that takes configurations, which can name code. */
export const adminHints: HintRule = ({ admin }) => {
  if (admin === false || isLoopback(admin.address.host) || !admin.writable) return []
  const message =
    'other machines reach the admin listener, without TLS, and whoever has its token can have it run code. ' +
    'Take a loopback address for admin.address, or leave writable out.'
  return [{ path: ['admin', 'writable'], message }]
}
