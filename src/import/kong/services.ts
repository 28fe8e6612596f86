import { type Fields, isFields } from '../../core/value.ts'
import { parseHostAndPort, parseInstanceUrl } from '../../config/addresses.ts'
import { durationText, flagOf, numberOf, textOf, textsOf } from '../read.ts'
import { hasVariable } from '../variables.ts'
import type { Names } from '../names.ts'
import type { Context } from './context.ts'
import type { Entity } from './entities.ts'
import { hostHeaderOf, instancesOf, tellOfUpstream } from './upstreams.ts'

/** An imported service. */
export interface KongService {
  readonly entity: Entity
  readonly name: string
  /** Its options, unless its routes add to them. */
  readonly options: Fields
  /** The prefix of the paths that it receives, without a trailing slash; "" for none. */
  readonly base: string
  /** How long a reply may take, in milliseconds. */
  readonly readTimeout: number
  /** Whether it speaks gRPC. */
  readonly isGrpc: boolean
}

/** The default of all timeouts, in milliseconds. */
const DEFAULT_TIMEOUT = 60_000
const DEFAULT_RETRIES = 5
const MAX_RETRIES = 10

interface Address {
  readonly protocol: string
  readonly host: string
  readonly port: string
  readonly path: string
}

/** The service for an entity; null if it is left out, which is reported. */
export function serviceOf(entity: Entity, names: Names, context: Context): KongService | null {
  const { entry, fields } = entity
  if (flagOf(fields['enabled']) === false) {
    entry.tell('exact', 'It is disabled, so it is not imported.')
    return null
  }
  const address = addressOf(fields)
  const scheme = schemeOf(address.protocol)
  if (scheme === null) {
    entry.tell('left out', `The protocol ${address.protocol} is not supported: services speak HTTP or gRPC.`)
    return null
  }
  const upstream = context.entities.find('upstreams', address.host)
  const where = upstream === undefined ? alone(entity, address, scheme) : instancesOf(upstream, scheme, context)
  if (where === null) {
    if (upstream !== undefined)
      entry.tell('left out', `Its upstream ${address.host} has no target with a weight above 0.`)
    return null
  }
  if (upstream !== undefined) tellOfUpstream(upstream)
  tellOfTls(entity, scheme)
  const hostHeader = upstream === undefined ? null : hostHeaderOf(upstream)
  const isGrpc = /^grpcs?$/.test(address.protocol)
  return {
    entity,
    name: names.take(entry.name, 'service'),
    base: baseOf(address.path, entity),
    readTimeout: numberOf(fields['read_timeout']) ?? DEFAULT_TIMEOUT,
    isGrpc,
    options: {
      ...where,
      host: hostHeader !== null && parseHostAndPort(hostHeader) !== undefined ? hostHeader : 'instance',
      ...timeoutsOf(entity),
      ...retryOf(entity, where['instances']),
      ...(isGrpc && { http2: true }),
    },
  }
}

function addressOf(fields: Fields): Address {
  const url = textOf(fields['url'])
  const [, protocol, authority = '', path = ''] = /^([a-z]+):\/\/([^/?#]*)([^?#]*)/i.exec(url ?? '') ?? []
  const [, host = '', port = ''] = /^(\[[^\]]*\]|.*?)(?::([^:\]]*))?$/.exec(authority.replace(/^.*@/, '')) ?? []
  if (protocol !== undefined) return { protocol: protocol.toLowerCase(), host, port, path }
  return {
    protocol: (textOf(fields['protocol']) ?? 'http').toLowerCase(),
    host: textOf(fields['host']) ?? '',
    port: textOf(fields['port']) ?? '',
    path: textOf(fields['path']) ?? '',
  }
}

function schemeOf(protocol: string): 'http' | 'https' | null {
  if (/^(?:http|grpc|ws)$/.test(protocol)) return 'http'
  return /^(?:https|grpcs|wss)$/.test(protocol) ? 'https' : null
}

/** The options of a service whose host is a DNS name. */
function alone({ entry, fields }: Entity, { host, port }: Address, scheme: 'http' | 'https'): Fields | null {
  // A port next to a URL is not part of it; 80 is Kong's default.
  const known = port === '' ? (scheme === 'https' ? '443' : '80') : port
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const url = `${scheme}://${bracketed}:${known}`
  if (hasVariable(url) ? !/^[^\s]+$/.test(url) : parseInstanceUrl(url) === undefined) {
    const what = host === '' ? 'it has no host' : `${JSON.stringify(`${host}:${known}`)} is no host and port`
    entry.tell('left out', `It has no usable address: ${what}.`)
    return null
  }
  if (textOf(fields['url'])?.includes('@') === true)
    entry.tell(
      'different',
      'The user name and password in its URL were left out: set Authorization with request-headers if the service needs them.',
    )
  return { instances: [url], health: false }
}

function baseOf(path: string, { entry }: Entity): string {
  const base = path.replace(/\/+$/, '')
  if (base === '') return ''
  if (/^(?:\/[!"$->@-z|~\uE000-\uE001]+)+$/.test(base) && !base.includes('//')) return base
  entry.tell('different', `The path ${JSON.stringify(path)} is not a valid path prefix, and was left out.`)
  return ''
}

function timeoutsOf({ entry, fields }: Entity): Fields {
  const connect = numberOf(fields['connect_timeout']) ?? DEFAULT_TIMEOUT
  const read = numberOf(fields['read_timeout']) ?? DEFAULT_TIMEOUT
  const write = numberOf(fields['write_timeout']) ?? DEFAULT_TIMEOUT
  if (write !== DEFAULT_TIMEOUT && write !== read)
    entry.tell('different', `write_timeout ${write} was left out: timeouts.idle applies to both directions.`)
  return {
    timeouts: { connect: durationText(connect), response: durationText(read), idle: durationText(read) },
  }
}

/** A retry goes to another instance, so it requires at least two. */
function retryOf({ entry, fields }: Entity, instances: unknown): Fields {
  const retries = Math.round(numberOf(fields['retries']) ?? DEFAULT_RETRIES)
  if (!Array.isArray(instances) || instances.length < 2) return {}
  if (retries <= 0) return { retry: false }
  if (retries > MAX_RETRIES) entry.tell('narrower', `retries ${retries} was reduced to the maximum of ${MAX_RETRIES}.`)
  return { retry: { attempts: Math.min(retries, MAX_RETRIES), statuses: [] } }
}

function tellOfTls({ entry, fields }: Entity, scheme: string): void {
  if (scheme !== 'https') return
  const verifies = flagOf(fields['tls_verify'])
  if (verifies !== true)
    entry.tell(
      'narrower',
      'Certificates of instances are always verified. Kong does not verify them by default. If they are signed by your own CA, name it in tls.ca of the service.',
    )
  if (textsOf(fields['ca_certificates']).length > 0)
    entry.tell('different', 'ca_certificates were left out: save them to a file, and name it in tls.ca of the service.')
  if (isFields(fields['client_certificate']) || textOf(fields['client_certificate']) !== undefined)
    entry.tell('different', 'client_certificate was left out: name its files in tls.cert and tls.key of the service.')
}
