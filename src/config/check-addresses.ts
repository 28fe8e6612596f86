import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Address, formatAddress } from '../core/address.ts'
import { messageOf } from '../core/error-facts.ts'
import { isLoopback } from './admin-schema.ts'
import type { Finding } from './issues.ts'
import type { Path } from './problems.ts'
import type { GatewayConfig } from './schema.ts'

/** An address that the gateway itself listens on, and its description. */
interface OwnAddress {
  readonly address: Address
  readonly name: string
}

/** Conflicts of addresses and files: of the admin listener, of instances and of the log file. */
export function checkAddresses(config: GatewayConfig): Finding[] {
  const listeners = config.listeners.map(({ address }, i) => ({ address, name: `listeners[${i}]` }))
  const admin = config.admin === false ? [] : [{ address: config.admin.address, name: 'the admin listener' }]
  return [
    ...listeners.flatMap(({ address }, i) => checkAdmin(address, ['listeners', i, 'address'], admin)),
    ...checkInstances(config, [...listeners, ...admin]),
    ...checkLogFile(config.log.file),
  ]
}

function checkAdmin(address: Address, path: Path, admin: readonly OwnAddress[]): Finding[] {
  return admin.flatMap((other) => {
    if (address.port === 0 || address.port !== other.address.port || !overlap(address.host, other.address.host))
      return []
    const taken = formatAddress(other.address)
    const message = `also the address of the admin listener, ${taken}; expected another one, here or in admin.address`
    return [{ path, isKey: false, message }]
  })
}

function checkInstances({ services }: GatewayConfig, own: readonly OwnAddress[]): Finding[] {
  return Object.entries(services).flatMap(([service, { instances }]) =>
    instances.flatMap(({ url }, i) => {
      const self = own.find(({ address }) => address.port === url.port && reaches(url.host, address.host))
      if (self === undefined) return []
      const message = `this is the gateway itself, at the address of ${self.name}; expected the address of the service`
      return [{ path: ['services', service, 'instances', i], isKey: false, message }]
    }),
  )
}

/** Whether listening on the one host takes the port on the other one too. */
function overlap(a: string, b: string): boolean {
  if (a === b || isWildcard(a) || isWildcard(b)) return true
  return isLoopback(a) && isLoopback(b) && (a === 'localhost' || b === 'localhost')
}

/** Whether connections to a host reach a listener on the other one, as far as can be told without a look-up. */
function reaches(host: string, listened: string): boolean {
  return host === listened || (isLoopback(host) && (isWildcard(listened) || overlap(host, listened)))
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Reasons why the log file could not be opened at startup. */
function checkLogFile(file: string | undefined): Finding[] {
  if (file === undefined) return []
  const reason = whyNotWritten(file)
  return reason === null
    ? []
    : [{ path: ['log', 'file'], isKey: false, message: `${reason}; expected a file that can be written` }]
}

function whyNotWritten(file: string): string | null {
  try {
    const known = statSync(file, { throwIfNoEntry: false })
    if (known?.isDirectory() === true) return 'a folder'
    accessSync(known === undefined ? dirname(file) : file, constants.W_OK)
    return null
  } catch (error) {
    return messageOf(error)
  }
}
