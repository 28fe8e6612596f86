import type { Clock } from '../../../core/clock.ts'
import type { Consumer, Exchange } from '../../../http/exchange.ts'

/** What rules may speak of: name -> its type, or those of its members. */
export const VARIABLES = {
  consumer: { id: 'string', tier: 'string', roles: 'list<string>', scopes: 'list<string>', key: 'string' },
  claims: 'map<string, dyn>',
  params: 'map<string, string>',
  method: 'string',
  path: 'string',
  host: 'string',
  scheme: 'string',
  query: 'map<string, string>',
  headers: 'map<string, string>',
  address: 'string',
  time: 'google.protobuf.Timestamp',
} as const

/** The request that rules decide about, each part made when a rule speaks of it. `path` is one of the forms of its path. */
export class RuleVariables {
  private readonly exchange: Exchange
  private readonly caller: Consumer
  private readonly clock: Clock
  private readonly fields: readonly string[]
  readonly path: string

  constructor(exchange: Exchange, caller: Consumer, clock: Clock, fields: readonly string[], path: string) {
    this.exchange = exchange
    this.caller = caller
    this.clock = clock
    this.fields = fields
    this.path = path
  }

  get consumer(): object {
    const { id, tier, roles, scopes, key } = this.caller
    return { id, tier, roles, scopes, key: key ?? '' }
  }

  get claims(): object {
    return this.caller.claims
  }

  get params(): object {
    return this.exchange.params
  }

  get method(): string {
    return this.exchange.method
  }

  get host(): string {
    return this.exchange.host.toLowerCase().replace(/:\d+$/, '')
  }

  get scheme(): string {
    return this.exchange.client.scheme
  }

  get address(): string {
    return this.exchange.client.address
  }

  get time(): Date {
    return new Date(this.clock.wall())
  }

  /** A parameter that comes twice has no value: which of them the service takes, nobody knows. */
  get query(): object {
    const values: Record<string, string> = {}
    for (const [name, value] of new URLSearchParams(this.exchange.query)) {
      const isRepeated = Object.hasOwn(values, name)
      Object.defineProperty(values, name, {
        enumerable: true,
        configurable: true,
        ...(isRepeated ? { get: () => refuse(name) } : { value }),
      })
    }
    return values
  }

  /** Those that rules name. */
  get headers(): object {
    const values: Record<string, string> = {}
    for (const name of this.fields) {
      const value = this.exchange.headers.combined(name)
      if (value !== undefined) values[name] = Buffer.from(value, 'latin1').toString('utf8')
    }
    return values
  }
}

function refuse(name: string): never {
  throw new Error(`the query has ${JSON.stringify(name)} more than once`)
}
