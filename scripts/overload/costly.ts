import { pbkdf2Sync } from 'node:crypto'
import { definePolicy, z } from '../../src/gateway.ts'

/** A step that occupies a thread for about as long as a few signatures. */
export default definePolicy({
  name: 'costly',
  summary: 'Has the thread work for each request.',
  options: z.strictObject({ rounds: z.int().min(1) }),
  create:
    ({ rounds }) =>
    (next) =>
    (exchange) => {
      pbkdf2Sync('password', 'salt', rounds, 32, 'sha256')
      return next(exchange)
    },
})
