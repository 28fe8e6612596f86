import type { Socket } from 'node:net'
import type { Address } from '../core/address.ts'
import { type Accept, Acceptor, type ListeningHandle } from '../listener/acceptor.ts'
import { claim, covers, inUseByOwn, overlap } from '../listener/claim.ts'

/** How new sockets are opened. */
export interface Opening {
  /** Other threads listen on the same addresses. */
  readonly shared: boolean
  /** No other thread listens on them yet: sees to it that nobody else does. */
  readonly first: boolean
  /** Where the threads before this one listen; by default where it is wanted. */
  readonly addresses?: readonly Address[] | undefined
  /** Sockets that listen there already, which become the thread's own; null for each that is to be opened. */
  readonly sockets?: readonly (ListeningHandle | null)[] | undefined
}

/** An address with its socket. */
export interface Bound {
  /** The actual one. */
  readonly address: Address
  readonly acceptor: Acceptor
}

/** One that takes connections. */
export interface Taking extends Bound {
  readonly accept: Accept
}

export interface OpenedSockets {
  readonly all: readonly Bound[]
  /** Closes those that are new. */
  readonly close: () => void
}

/**
 * Opens a socket for each address that is wanted, unless there is one already. Until somebody takes them, connections to a new one
 * are kept, or go where they would have gone without it: an address of all hosts has them too. Rejects, with nothing opened, where
 * one is not to be had.
 */
export async function openSockets(
  wanted: readonly (Address | Bound)[],
  current: readonly Taking[],
  { shared, first, addresses, sockets }: Opening,
): Promise<OpenedSockets> {
  const opened: Acceptor[] = []
  const close = (): void => {
    for (const acceptor of opened) acceptor.close()
  }
  const addressAt = (i: number, address: Address): Address => addresses?.[i] ?? address
  // One after the other: addresses of the gateway's own may overlap.
  if (shared && first)
    for (const [i, each] of wanted.entries()) if (!('acceptor' in each)) await claimBeside(addressAt(i, each), current)
  const openOne = async (i: number, wish: Address): Promise<Bound> => {
    const acceptor = new Acceptor((socket) => passOn(socket, current))
    opened.push(acceptor)
    const address = addressAt(i, wish)
    const socket = sockets?.[i] ?? null
    const listening = socket === null ? acceptor.listen(address, shared) : acceptor.adopt(socket, address)
    return { acceptor, address: await listening.catch((error: unknown) => refuse(error, address, current)) }
  }
  const all = await Promise.allSettled(
    wanted.map(async (each, i) => ('acceptor' in each ? each : await openOne(i, each))),
  )
  const failed = all.find((each) => each.status === 'rejected')
  if (failed !== undefined) {
    close()
    throw failed.reason
  }
  return { all: all.filter((each) => each.status === 'fulfilled').map(({ value }) => value), close }
}

/** Sockets of the gateway's own are in nobody's way: they were claimed when they were opened, and are shared. */
async function claimBeside(address: Address, current: readonly Taking[]): Promise<void> {
  if (!current.some((each) => overlap(each.address, address))) await claim(address)
}

function refuse(error: unknown, address: Address, current: readonly Taking[]): never {
  const own = current.find((each) => overlap(each.address, address))
  throw own === undefined ? error : inUseByOwn(error, address, own.address)
}

/** Hands a connection to whom it would have come to without its socket; false where that is nobody. */
function passOn(socket: Socket, current: readonly Taking[]): boolean {
  const { localAddress = '', localPort } = socket
  const covering = current.filter(
    ({ address, acceptor }) => address.port === localPort && covers(acceptor.host, localAddress),
  )
  const taker = covering.find(({ acceptor }) => acceptor.host === localAddress) ?? covering[0]
  taker?.accept(socket)
  return taker !== undefined
}
