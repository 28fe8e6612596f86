import { lookup } from 'node:dns/promises'
import { isIP, Socket } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'
import type { Logger } from '../core/logger.ts'
import { canonicalAddress } from '../core/plain-address.ts'
import { listeningAddress } from './listening-address.ts'

/** The first passed descriptor; the others follow it (sd_listen_fds(3)). */
const FIRST = 3
/** Environment variables that describe the passed sockets; for this process only, and not for its children. */
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'] as const

/** A passed socket, with the address it is bound to. */
interface Given {
  readonly address: Address
  readonly descriptor: number
  /** Holds the descriptor; never accepts connections. */
  readonly socket: Socket
}

/**
 * Listening sockets passed to this process by its parent through systemd's socket activation protocol (sd_listen_fds(3)). They are
 * identified by the addresses they are bound to, regardless of order and names, and stay open for the lifetime of the process.
 */
export class InheritedSockets {
  /** The PID of the process that the sockets are meant for, if it is not this one; otherwise null. */
  readonly stray: string | null
  private readonly sockets: readonly Given[]

  /**
   * Takes the sockets described by the environment, and removes the variables from it. Throws an Error that says what is wrong with an
   * unusable socket.
   */
  constructor(environment: NodeJS.ProcessEnv, pid: number) {
    const { LISTEN_PID: owner = '', LISTEN_FDS: count = '' } = environment
    for (const name of VARIABLES) delete environment[name]
    this.stray = count !== '' && owner !== String(pid) ? owner : null
    this.sockets = count === '' || this.stray !== null ? [] : openAll(count)
  }

  /** Number of sockets. */
  get size(): number {
    return this.sockets.length
  }

  /** The descriptors of the sockets bound to these addresses, or null. Host names are resolved. */
  async find(addresses: readonly Address[]): Promise<(number | null)[]> {
    if (this.size === 0) return addresses.map(() => null)
    return Promise.all(addresses.map((address) => this.findOne(address)))
  }

  /** Like `find`, for the initial listeners. Rejects if a socket has no listener: clients connecting to it would wait forever. */
  async findAll(addresses: readonly Address[], log: Logger): Promise<(number | null)[]> {
    const found = await this.find(addresses)
    const others = this.others(found)
    if (others.length > 0)
      throw new Error(
        `no listener has the address of a passed socket: ${others.join(', ')}. ` +
          `The listeners are ${addresses.map(formatAddress).join(', ')}: use the same addresses for both`,
      )
    this.warn(addresses, found, log)
    return found
  }

  /** Warns about sockets among `found` that another process cannot take over as they are. */
  warn(addresses: readonly Address[], found: readonly (number | null)[], log: Logger): void {
    if (this.size === 0) return
    const own = addresses.filter((_each, i) => found[i] === null).map(formatAddress)
    if (own.length > 0)
      log.warn({ listeners: own }, 'No socket was passed for a listener: no other process can take it over')
    const sockets = this.others(found)
    if (sockets.length > 0)
      log.warn({ sockets }, 'A passed socket has no listener: clients that connect there wait for another process')
  }

  /** The addresses of sockets whose descriptors are not among these. */
  private others(descriptors: readonly (number | null)[]): string[] {
    return this.sockets
      .filter(({ descriptor }) => !descriptors.includes(descriptor))
      .map(({ address }) => formatAddress(address))
  }

  private async findOne({ host, port }: Address): Promise<number | null> {
    const candidates = this.sockets.filter(({ address }) => address.port === port)
    if (candidates.length === 0) return null
    const hosts = await hostsOf(host)
    return candidates.find(({ address }) => hosts.includes(canonical(address.host)))?.descriptor ?? null
  }
}

function openAll(count: string): Given[] {
  if (!/^[1-9][0-9]{0,3}$/.test(count)) throw new Error(`LISTEN_FDS is "${count}": expected the number of sockets`)
  const opened: Given[] = []
  for (let descriptor = FIRST; descriptor < FIRST + Number(count); descriptor++) opened.push(open(descriptor))
  for (const [i, { address, descriptor }] of opened.entries()) {
    const twin = opened.slice(0, i).find((other) => isSame(other.address, address))
    if (twin !== undefined)
      throw new Error(
        `descriptors ${twin.descriptor} and ${descriptor} are both bound to ${formatAddress(address)}: pass one socket for each address`,
      )
  }
  return opened
}

function open(descriptor: number): Given {
  const socket = openSocket(descriptor)
  const address = socket === null ? null : listeningAddress(socket)
  if (socket !== null && address !== null) return { socket, address, descriptor }
  throw new Error(
    `descriptor ${descriptor}, listed in LISTEN_FDS, is not a listening TCP socket: ` +
      'in systemd, use ListenStream= with a port and Accept=no',
  )
}

/** Null if it is something else. */
function openSocket(fd: number): Socket | null {
  try {
    return new Socket({ fd, readable: false, writable: false })
  } catch {
    return null
  }
}

function isSame(one: Address, other: Address): boolean {
  return one.port === other.port && canonical(one.host) === canonical(other.host)
}

/** The IP addresses of a host; empty if the name is unknown. */
async function hostsOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [canonical(host)]
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.map(({ address }) => canonical(address))
}

function canonical(host: string): string {
  return canonicalAddress(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
