import { z } from 'zod'
import { messageOf } from './error-facts.ts'
import type { NetworkFile } from './network-file-contents.ts'
import { isNetwork, readNetworkList } from './network-list.ts'

const networkExpected = 'expected an IP address or a network such as "10.0.0.0/8"'

/** Schema of an address or CIDR network. */
const network = z.string(networkExpected).refine(isNetwork, networkExpected)

const networkFile = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .describe('File with one network per line; "#" starts a comment.')
      .meta({ examples: ['./networks.txt'] }),
  })
  .transform(({ file }, context): NetworkFile => {
    try {
      return { file, networks: readNetworkList(file) }
    } catch (error) {
      const why = messageOf(error)
      context.addIssue({ code: 'custom', path: ['file'], message: `${JSON.stringify(file)} ${why}` })
      return z.NEVER
    }
  })

/** Schema of a list of addresses, networks, and files that contain them. A policy lists such options in `networks`. */
export const networks = z.union([network, networkFile]).array()
