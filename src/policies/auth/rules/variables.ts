import type { Clock } from '../../../core/clock.ts'
import type { Consumer, Exchange } from '../../../http/exchange.ts'

/** What rules may refer to: name -> its type, or those of its members. */
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

/** One form of the path of a request, with the route's parameters in that form. */
export type PathForm = Pick<Exchange, 'path' | 'params'>

/** The request that rules decide about, for one form of its path; each part is computed when a rule first uses it. */
export class RuleVariables {
  private readonly exchange: Exchange
  private readonly caller: Consumer
  private readonly clock: Clock
  private readonly fields: readonly string[]
  readonly path: string
  readonly params: object

  constructor(
    exchange: Exchange,
    caller: Consumer,
    clock: Clock,
    fields: readonly string[],
    form: PathForm = exchange,
  ) {
    this.exchange = exchange
    this.caller = caller
    this.clock = clock
    this.fields = fields
    this.path = form.path
    this.params = distinct(form.params)
  }

  get consumer(): object {
    const { id, tier, roles, scopes, key } = this.caller
    return { id, tier, roles, scopes, key: key ?? '' }
  }

  get claims(): object {
    return distinct(this.caller.claims)
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

  /** A repeated parameter has no value, as it is unknown which one the service would use. */
  get query(): object {
    const values = new Map<string, string>()
    const repeated = new Set<string>()
    for (const [name, value] of new URLSearchParams(this.exchange.query)) {
      if (values.has(name)) repeated.add(name)
      values.set(name, value)
    }
    return repeated.size === 0 ? values : withoutValues(values, repeated)
  }

  /** The headers that rules refer to. */
  get headers(): object {
    const values = new Map<string, string>()
    for (const name of this.fields) {
      const value = this.exchange.headers.combined(name)
      if (value !== undefined) values.set(name, Buffer.from(value, 'latin1').toString('utf8'))
    }
    return values
  }
}

/** As a Map if the library would mistake one of the values for the constructor of the object, from which it tells its type. */
function distinct(values: object): object {
  return Object.hasOwn(values, 'constructor') ? new Map(Object.entries(values)) : values
}

/** The values as an object of which those with the given names cannot be read, not even to compare it with another one. */
function withoutValues(values: ReadonlyMap<string, string>, names: ReadonlySet<string>): object {
  const object = {}
  for (const [name, value] of values)
    Object.defineProperty(object, name, {
      enumerable: true,
      ...(names.has(name) ? { get: () => refuse(name) } : { value }),
    })
  return object
}

function refuse(name: string): never {
  throw new Error(`the query has ${JSON.stringify(name)} more than once`)
}
