import { isIP } from 'node:net'
import { readText } from './read-text.ts'

/** Octets of a file with networks. */
const LARGEST = 8 * 1024 * 1024
/** Networks of a file: those of all countries are fewer. */
const MOST = 200_000

/** Why a file is no list of networks. */
export class NetworkListError extends Error {}

/** Whether the text is an IP address, or a network such as "10.0.0.0/8" (RFC 4632 section 3.1). */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

/**
 * The addresses and networks of a file: one a line, with comments from "#" on. Throws NetworkListError for a line that is
 * none, and where there are none or too many; FileError where the file cannot be read.
 */
export function readNetworkList(file: string): string[] {
  const lines = readText(file, LARGEST).split(/\r?\n/)
  const networks = lines.flatMap((line, i) => {
    const text = line.replace(/#.*/, '').trim()
    if (text === '') return []
    if (!isNetwork(text))
      throw new NetworkListError(
        `line ${i + 1} is neither an IP address nor a network: ${JSON.stringify(text.slice(0, 80))}`,
      )
    return [text]
  })
  if (networks.length === 0) throw new NetworkListError('holds no network')
  if (networks.length > MOST) throw new NetworkListError(`holds more than ${MOST} networks`)
  return networks
}
