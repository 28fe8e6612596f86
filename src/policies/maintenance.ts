import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { networks } from '../core/networks-schema.ts'
import { duration } from '../core/units.ts'
import { liveNetworks } from './live-networks.ts'
import { retryAfter } from './policy-docs.ts'
import { definePolicy } from './policy.ts'

/** Replies instead of a service that is under maintenance. */
export const maintenance = definePolicy({
  name: 'maintenance',
  summary: 'Answers requests with 503 and Retry-After during maintenance, except from some networks.',
  networks: ['except'],
  options: z.strictObject({
    retryAfter: duration.prefault('5m').describe('Value of Retry-After. Default 5m.'),
    detail: z
      .string()
      .min(1)
      .max(1000)
      .default('The service is under maintenance. Try again later.')
      .describe('Detail of the problem document. Default "The service is under maintenance. Try again later."'),
    except: networks
      .default([])
      .describe(
        'Addresses and networks whose requests are let through, or { file } for a file that is read again whenever it changes. Default none.',
      )
      .meta({ examples: [['10.0.0.0/8']] }),
  }),
  document: () => ({
    refusals: [{ code: 'maintenance', description: 'The service is under maintenance.', fields: [retryAfter] }],
  }),
  decidesBy: () => 'facts',
  isShared: () => true,
  create({ retryAfter: wait, detail, except }, toolbox) {
    const excepted = liveNetworks(except, toolbox)
    const headers = [['Retry-After', String(Math.ceil(wait / 1000))]] as const
    return (next) => (exchange) => {
      if (excepted.has(exchange.client.address)) return next(exchange)
      throw new GatewayError('maintenance', detail, { headers })
    }
  },
})
