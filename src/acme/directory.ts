import { z } from 'zod'

const httpsUrl = z.url({ protocol: /^https$/ })

/** The resources of a CA and their URLs (RFC 8555 section 7.1.1; renewalInfo: RFC 9773 section 4). */
export const directorySchema = z.object({
  newNonce: httpsUrl,
  newAccount: httpsUrl,
  newOrder: httpsUrl,
  renewalInfo: httpsUrl.optional(),
  meta: z
    .object({
      termsOfService: z.string().optional(),
      externalAccountRequired: z.boolean().default(false),
    })
    .prefault({}),
})

export type Directory = z.output<typeof directorySchema>
