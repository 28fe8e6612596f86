import { z } from 'zod'
import { GatewayError } from '../core/errors.ts'
import { networks } from '../core/networks-schema.ts'
import type { Exchange } from '../http/exchange.ts'
import { fieldName } from './field-name.ts'
import { liveNetworks } from './live-networks.ts'
import { definePolicy } from './policy.ts'

const countryExpected = 'expected two letters or digits, such as DE'

const country = z
  .string(countryExpected)
  .toUpperCase()
  .regex(/^[A-Z\d]{2}$/, countryExpected)

const countriesSchema = z
  .strictObject({
    header: fieldName
      .describe(
        "Header in which trusted proxies give the client's country, such as CF-IPCountry; they must overwrite it on every request.",
      )
      .meta({ examples: ['CF-IPCountry'] }),
    allow: country
      .array()
      .min(1)
      .optional()
      .describe('Allowed countries, such as DE; all others are refused.')
      .meta({ examples: [['DE', 'FR']] }),
    deny: country
      .array()
      .min(1)
      .optional()
      .describe('Refused countries.')
      .meta({ examples: [['XX']] }),
  })
  .refine(({ allow, deny }) => allow !== undefined || deny !== undefined, {
    error: 'lists no countries; expected allow or deny',
  })

/** Why a request is refused, for the metrics and traces. */
type Reason = 'denied' | 'not-allowed' | 'country'

/** Refuses requests by the client's address, and by the country that a CDN reports for it. */
export const ipAccess = definePolicy({
  name: 'ip-access',
  summary: 'Allows or refuses requests by client address, or by the country that a CDN reports.',
  networks: ['allow', 'deny'],
  options: z
    .strictObject({
      allow: networks
        .optional()
        .describe(
          'Allowed addresses and networks, or { file } for a file that is read again whenever it changes. All others are refused, unless `countries` is set, which then decides.',
        )
        .meta({ examples: [['10.0.0.0/8'], [{ file: './office.txt' }]] }),
      deny: networks
        .optional()
        .describe(
          'Refused addresses and networks, or { file } for a file that is read again whenever it changes. Takes precedence over `allow`.',
        )
        .meta({ examples: [['192.0.2.0/24'], [{ file: './blocked.txt' }]] }),
      countries: countriesSchema
        .optional()
        .describe('Countries of clients whose address is in neither list. Requests without a country are refused.'),
    })
    .refine(({ allow, deny, countries }) => allow !== undefined || deny !== undefined || countries !== undefined, {
      error: 'allows every address; expected allow, deny or countries',
    }),
  fields: ({ countries }) => (countries === undefined ? [] : [countries.header]),
  document: () => ({ refusals: [{ code: 'forbidden', description: 'The address of the client is not allowed.' }] }),
  decidesBy: ({ countries }) => (countries === undefined ? 'facts' : 'content'),
  isShared: () => true,
  create({ allow, deny, countries }, toolbox) {
    const allowed = allow === undefined ? null : liveNetworks(allow, toolbox)
    const denied = deny === undefined ? null : liveNetworks(deny, toolbox)
    const judgeCountry = countries === undefined ? null : compileCountries(countries)
    const counts = new Map(
      (['denied', 'not-allowed', 'country'] as const).map((reason) => [
        reason,
        toolbox.metrics.counter('sallyport_ip_access_refusals_total', { reason }),
      ]),
    )

    function judge(exchange: Exchange): Reason | null {
      const { address } = exchange.client
      if (denied?.has(address) === true) return 'denied'
      if (allowed?.has(address) === true) return null
      if (judgeCountry !== null) return judgeCountry(exchange) ? null : 'country'
      return allowed === null ? null : 'not-allowed'
    }

    return (next) => (exchange) => {
      // Only a trusted proxy may set this header, so the service must not see it from anyone else either.
      if (countries !== undefined && !exchange.client.proxied) exchange.headers.delete(countries.header)
      const reason = judge(exchange)
      if (reason === null) return next(exchange)
      counts.get(reason)?.add(1)
      exchange.record?.event('sallyport.ip_access', { 'sallyport.ip_access.reason': reason })
      throw new GatewayError('forbidden', 'Requests from this address are not allowed here.')
    }
  },
})

function compileCountries({ header, allow, deny }: z.output<typeof countriesSchema>): (exchange: Exchange) => boolean {
  const allowed = allow === undefined ? null : new Set(allow)
  const denied = new Set(deny)
  return ({ headers }) => {
    const code = headers.single(header)?.toUpperCase()
    if (code === undefined || !/^[A-Z\d]{2}$/.test(code)) return false
    return !denied.has(code) && (allowed === null || allowed.has(code))
  }
}
