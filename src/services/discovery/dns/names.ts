import { readFile } from 'node:fs/promises'
import type { Resolver } from 'node:dns/promises'
import { codeOf, messageOf } from '../../../core/error-facts.ts'
import { addressesIn } from './hosts.ts'
import { namesFor, NO_RESOLV_CONF, parseResolvConf, type ResolvConf } from './resolv-conf.ts'
import type { SrvRecord } from './srv.ts'

/** Maximum number of bytes to read from a system file. */
const MAX_FILE_SIZE = 1_048_576

/** An answer; `ttl` in milliseconds, Infinity if unbounded. */
export interface Addresses {
  readonly addresses: readonly string[]
  readonly ttl: number
}

/** The content of the system's name resolution files; empty for missing files. */
export interface NameFiles {
  readonly hosts: string
  readonly resolv: ResolvConf
}

/** The name does not exist, or has no records of that type. */
export class NoRecords extends Error {
  /** Whether the name exists. */
  readonly known: boolean

  constructor(known: boolean, name: string, type: string) {
    super(known ? `${name} has no ${type} records` : `the name ${name} does not exist`)
    this.known = known
  }
}

/** Reads /etc/hosts and /etc/resolv.conf, which the c-ares resolver does not use in the way other name lookups do. */
export async function readNameFiles(): Promise<NameFiles> {
  const [hosts, resolv] = await Promise.all([textOf('/etc/hosts'), textOf('/etc/resolv.conf')])
  return { hosts, resolv: parseResolvConf(resolv) }
}

/** With a custom DNS server, names are fully qualified. */
export const NO_FILES: NameFiles = { hosts: '', resolv: NO_RESOLV_CONF }

/** Name resolution with the files as of one point in time. */
export class Names {
  private readonly resolver: Resolver
  private readonly files: NameFiles

  constructor(resolver: Resolver, files: NameFiles) {
    this.resolver = resolver
    this.files = files
  }

  /** The addresses of a name, for family 4 or 6. Rejects with NoRecords, or with an Error if they could not be determined. */
  addresses(name: string, family: 4 | 6): Promise<Addresses> {
    const own = addressesIn(this.files.hosts, name, family)
    if (own.length > 0) return Promise.resolve({ addresses: own, ttl: Infinity })
    const type = family === 4 ? 'A' : 'AAAA'
    return this.ask(name, type, async (whole) => {
      const { resolver } = this
      const records = await (family === 4 ? resolver.resolve4(whole, TTL) : resolver.resolve6(whole, TTL))
      const ttl = Math.min(...records.map((record) => record.ttl)) * 1000
      return { addresses: records.map(({ address }) => address), ttl }
    })
  }

  /** The SRV records of a name. Rejects in the same way as `addresses`. */
  services(name: string): Promise<readonly SrvRecord[]> {
    return this.ask(name, 'SRV', (whole) => this.resolver.resolveSrv(whole))
  }

  /**
   * Tries the fully qualified names that this name may stand for until one of them exists. An unanswered query ends the search, as its name
   * would have taken precedence.
   */
  private async ask<Answer>(name: string, type: string, resolve: (whole: string) => Promise<Answer>): Promise<Answer> {
    let known = false
    for (const whole of namesFor(name, this.files.resolv)) {
      try {
        return await resolve(whole)
      } catch (error) {
        const code = codeOf(error)
        if (code !== 'ENODATA' && code !== 'ENOTFOUND') throw new Error(reasonOf(whole, type, error), { cause: error })
        known ||= code === 'ENODATA'
      }
    }
    throw new NoRecords(known, name, type)
  }
}

const TTL = { ttl: true } as const

const REASONS: Readonly<Record<string, string>> = {
  ETIMEOUT: 'no DNS server has answered in time',
  ECANCELLED: 'no DNS server has answered in time',
  ECONNREFUSED: 'no DNS server could be reached',
  ESERVFAIL: 'the DNS server failed (SERVFAIL)',
  EREFUSED: 'the DNS server refused to answer (REFUSED)',
}

function reasonOf(name: string, type: string, error: unknown): string {
  return `${type} ${name}: ${REASONS[codeOf(error)] ?? messageOf(error)}`
}

async function textOf(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'latin1')
    return text.slice(0, MAX_FILE_SIZE)
  } catch {
    return ''
  }
}
