import { caddy } from './caddy.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import type { Peer } from './peer.ts'
import { sallyport } from './sallyport.ts'

/** All peers, in the order of the tables. */
export const peers: readonly Peer[] = [sallyport, nginx, haproxy, caddy]
