import { isLoopback } from '../admin-schema.ts'
import type { HintRule } from './hint.ts'

/** An admin listener that other machines can reach and that accepts configurations, which can name code. */
export const adminHints: HintRule = ({ admin }) => {
  if (admin === false || isLoopback(admin.address.host) || !admin.writable) return []
  const message =
    'other machines can reach the admin listener without TLS, and anyone with its token can make it run code. ' +
    'Use a loopback address for admin.address, or remove writable.'
  return [{ path: ['admin', 'writable'], message }]
}
