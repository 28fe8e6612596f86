import { present } from '../core/present.ts'
import type { Socket } from 'node:net'
import type { Address } from '../core/address.ts'
import { type Accept, Acceptor, type ListeningHandle } from '../listener/acceptor.ts'
import { claim, covers, inUseByOwn, overlap } from '../listener/claim.ts'

/** Hands over sockets that listen already, for places among what is wanted; null for each that is to be opened. */
export type Sockets = (places: readonly number[]) => Promise<readonly (ListeningHandle | null)[]>

/** How new sockets are opened. */
export interface Opening {
  /** Other threads listen on the same addresses. */
  readonly shared: boolean
  /** No other thread listens on them yet: sees to it that nobody else does. */
  readonly first: boolean
  /** Where the threads before this one listen; by default where it is wanted. */
  readonly addresses?: readonly Address[] | undefined
  /** Has those that listen there already, which become the thread's own; by default all are to be opened. */
  readonly sockets?: Sockets | undefined
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
 *
 * 1. Take over those that listen already.
 * 2. See that nobody else listens on the others.
 * 3. Open them.
 */
export async function openSockets(
  wanted: readonly (Address | Bound)[],
  current: readonly Taking[],
  { shared, first, addresses, sockets }: Opening,
): Promise<OpenedSockets> {
  const bound = wanted.map((each) => ('acceptor' in each ? each : null))
  const isMissing = (i: number): boolean => bound[i] === null
  const places = wanted.map((each, i) => addresses?.[i] ?? toAddress(each))
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
  const missing = Array.from(wanted.keys()).filter(isMissing)
  try {
    // 1.
    const given = (await sockets?.(missing)) ?? []
    for (const [i, place] of missing.entries()) {
      const socket = given[i] ?? null
      if (socket === null) continue
      const acceptor = newAcceptor()
      bound[place] = { acceptor, address: acceptor.adopt(socket, addressAt(place)) }
    }
    // 2. One after the other: addresses of the gateway's own may overlap.
    const rest = missing.filter(isMissing)
    if (shared && first) for (const i of rest) await claimBeside(addressAt(i), current)
    // 3.
    const opening = rest.map(async (i) => {
      const [address, acceptor] = [addressAt(i), newAcceptor()]
      const listening = acceptor.listen(address, shared)
      bound[i] = { acceptor, address: await listening.catch((error: unknown) => refuse(error, address, current)) }
    })
    // All of them, so that none opens after the others were closed.
    const failed = (await Promise.allSettled(opening)).find((each) => each.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  } catch (error) {
    close()
    throw error
  }
  return { all: bound.filter((each) => each !== null), close }
}

function toAddress(wanted: Address | Bound): Address {
  return 'acceptor' in wanted ? wanted.address : wanted
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
