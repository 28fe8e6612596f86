import { isIP } from 'node:net'
import { readText } from './read-text.ts'

/** Maximum size of a network file, in bytes. */
const MAX_SIZE = 8 * 1024 * 1024
/** Maximum number of networks in a file; the networks of all countries together are fewer. */
const MAX = 200_000

/** Why a file is not a valid list of networks. */
export class NetworkListError extends Error {}

/** Whether the text is an IP address, or a network such as "10.0.0.0/8" (RFC 4632 section 3.1). */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

/**
 * Reads the addresses and networks in a file: one per line, with comments starting at "#". Throws NetworkListError for an invalid line and
 * for an empty or too long list; FileError if the file cannot be read.
 */
export function readNetworkList(file: string): string[] {
  const lines = readText(file, MAX_SIZE).split(/\r?\n/)
  const networks = lines.flatMap((line, i) => {
    const text = line.replace(/#.*/, '').trim()
    if (text === '') return []
    if (!isNetwork(text))
      throw new NetworkListError(
        `line ${i + 1} is neither an IP address nor a network: ${JSON.stringify(text.slice(0, 80))}`,
      )
    return [text]
  })
  if (networks.length === 0) throw new NetworkListError('contains no network')
  if (networks.length > MAX) throw new NetworkListError(`contains more than ${MAX} networks`)
  return networks
}
