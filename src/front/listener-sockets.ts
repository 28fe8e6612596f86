import { present } from '../core/present.ts'
import type { Socket } from 'node:net'
import type { Address } from '../core/address.ts'
import { type Accept, Acceptor, type ListeningHandle } from '../listener/acceptor.ts'
import { claim, covers, inUseByOwn, overlap } from '../listener/claim.ts'

/** Hands over sockets that are already listening, for the given indexes of the requested addresses; null for each one to be opened. */
export type Sockets = (places: readonly number[]) => Promise<readonly (ListeningHandle | null)[]>

/** How new sockets are opened. */
export interface Opening {
  /** Whether other threads listen on the same addresses. */
  readonly shared: boolean
  /** Whether this is the first thread to listen on them; if so, it makes sure that no other process does. */
  readonly first: boolean
  /** Where the previous threads listen; by default the requested addresses. */
  readonly addresses?: readonly Address[] | undefined
  /** Provides sockets that are already listening, which are taken over; by default all sockets are opened. */
  readonly sockets?: Sockets | undefined
}

/** An address with its socket. */
export interface Bound {
  /** The actual address. */
  readonly address: Address
  readonly acceptor: Acceptor
}

/** A socket that accepts connections. */
export interface Taking extends Bound {
  readonly accept: Accept
}

export interface OpenedSockets {
  readonly all: readonly Bound[]
  /** Closes the new sockets. */
  readonly close: () => void
}

/**
 * Opens a socket for each requested address that has none yet. Until the new sockets are taken into use, their connections are kept, or passed
 * to the socket that would otherwise have received them, such as one bound to all hosts. If an address is unavailable, rejects with nothing
 * left open.
 *
 * 1. Take over sockets that are already listening.
 * 2. Make sure that no other process listens on the remaining addresses.
 * 3. Open them.
 */
export async function openSockets(
  requested: readonly (Address | Bound)[],
  current: readonly Taking[],
  { shared, first, addresses, sockets }: Opening,
): Promise<OpenedSockets> {
  const bound = requested.map((each) => ('acceptor' in each ? each : null))
  const isMissing = (i: number): boolean => bound[i] === null
  const places = requested.map((each, i) => addresses?.[i] ?? toAddress(each))
  const addressAt = (i: number): Address => present(places[i], 'listener')
  const opened: Acceptor[] = []
  const close = (): void => {
    for (const acceptor of opened) acceptor.close()
  }
  const newAcceptor = (): Acceptor => {
    const acceptor = new Acceptor((socket) => passOn(socket, current))
    opened.push(acceptor)
    return acceptor
  }
  const missing = Array.from(requested.keys()).filter(isMissing)
  try {
    // 1.
    const inherited = (await sockets?.(missing)) ?? []
    for (const [i, place] of missing.entries()) {
      const socket = inherited[i] ?? null
      if (socket === null) continue
      const acceptor = newAcceptor()
      bound[place] = { acceptor, address: acceptor.adopt(socket, addressAt(place)) }
    }
    // 2. Sequentially, as the gateway's own addresses may overlap.
    const rest = missing.filter(isMissing)
    if (shared && first) for (const i of rest) await claimBeside(addressAt(i), current)
    // 3.
    const opening = rest.map(async (i) => {
      const [address, acceptor] = [addressAt(i), newAcceptor()]
      const listening = acceptor.listen(address, shared)
      bound[i] = { acceptor, address: await listening.catch((error: unknown) => refuse(error, address, current)) }
    })
    // Waits for all of them, so that none opens after the others were closed.
    const failed = (await Promise.allSettled(opening)).find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  } catch (error) {
    close()
    throw error
  }
  return { all: bound.filter((each) => each !== null), close }
}

function toAddress(requested: Address | Bound): Address {
  return 'acceptor' in requested ? requested.address : requested
}

/** The gateway's own sockets do not conflict: they were claimed when they were opened, and are shared. */
async function claimBeside(address: Address, current: readonly Taking[]): Promise<void> {
  if (!current.some((each) => overlap(each.address, address))) await claim(address)
}

function refuse(error: unknown, address: Address, current: readonly Taking[]): never {
  const own = current.find((each) => overlap(each.address, address))
  throw own === undefined ? error : inUseByOwn(error, address, own.address)
}

/** Passes a connection to the listener that would have received it without the new socket; returns false if there is none. */
function passOn(socket: Socket, current: readonly Taking[]): boolean {
  const { localAddress = '', localPort } = socket
  const covering = current.filter(
    ({ address, acceptor }) => address.port === localPort && covers(acceptor.host, localAddress),
  )
  const taker = covering.find(({ acceptor }) => acceptor.host === localAddress) ?? covering[0]
  taker?.accept(socket)
  return taker !== undefined
}
