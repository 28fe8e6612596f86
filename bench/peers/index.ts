import { join } from 'node:path'
import { caddy } from './caddy.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { nodePeer } from './node-peer.ts'
import type { Peer } from './peer.ts'
import { relay, replier } from './lower-bounds.ts'
import { sallyport } from './sallyport.ts'

/** The source tree that this benchmark belongs to. */
export const projectRoot = join(import.meta.dirname, '../..')

/** Every measured proxy, in the order of a round. */
export const peers: Peer[] = [
  nginx,
  haproxy,
  sallyport('Sallyport', projectRoot),
  sallyport('Sallyport with two workers', projectRoot, 2),
  caddy,
  nodePeer('fast-gateway', 'fast-gateway.js'),
  nodePeer('httpxy', 'httpxy.js'),
  nodePeer('@fastify/http-proxy', 'fastify-http-proxy.js'),
  nodePeer('express-gateway', 'express-gateway.js'),
  relay,
  replier,
]
