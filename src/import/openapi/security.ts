import { isToken, isWireField } from '../../core/field.ts'
import { fieldOf, type Fields, isFields, itemsOf } from '../../core/value.ts'
import type { Comments } from '../commented.ts'
import { textOf, textsOf } from '../read.ts'
import { Entry } from '../report.ts'
import type { SourceTree } from '../source-tree.ts'

/** A security scheme of a document, as a method of auth. */
interface Method {
  readonly name: string
  readonly options: Fields
  readonly isToken: boolean
  readonly advice: string
}

/** The security requirements of an operation. */
export interface Requirement {
  /** Names of the methods of auth, any one of which is enough; empty for none. */
  readonly methods: readonly string[]
  readonly scopes: readonly string[]
  /** Whether no credentials are required. */
  readonly isPublic: boolean
  /** Whether none of its requirements can be translated. */
  readonly isClosed: boolean
}

type AskVariable = (name: string, what: string, entry: Entry) => string

const DISCOVERY = /\/\.well-known\/openid-configuration\/?$/

/** A security scheme as it is written. */
interface Scheme {
  readonly value: unknown
  readonly entry: Entry
}

/** The security schemes of a document. Those that no operation requires are not converted. */
export class Security {
  private readonly schemes: ReadonlyMap<string, Scheme>
  private readonly ask: AskVariable
  /** By the name of the scheme; null for those that are left out. */
  private readonly converted = new Map<string, Method | null>()
  private readonly general: unknown

  constructor(tree: SourceTree, ask: AskVariable) {
    const schemes = fieldOf(fieldOf(tree.value, 'components'), 'securitySchemes')
    this.general = fieldOf(tree.value, 'security')
    this.ask = ask
    this.schemes = new Map(
      Object.entries(isFields(schemes) ? schemes : {}).map(([name, value]) => {
        const entry = new Entry('security scheme', name, tree.positionOf(value))
        return [name, { value, entry }]
      }),
    )
  }

  /** What became of each scheme, once all requirements have been read. */
  report(): Entry[] {
    return Array.from(this.schemes, ([name, { entry }]) => {
      if (!this.converted.has(name)) entry.tell('exact', 'No operation requires it.')
      return entry
    })
  }

  /** The methods of auth by name, with advice as comments. */
  optionsOf(names: Iterable<string>, comments: Comments): Fields {
    const wanted = new Set(names)
    const found = new Map(this.methods.filter(({ name }) => wanted.has(name)).map((method) => [method.name, method]))
    const options = Object.fromEntries(Array.from(found, ([name, method]) => [name, method.options]))
    for (const [name, { advice }] of found) comments.add(options, name, advice)
    return options
  }

  /** The requirements of an operation: one requirement of the list is enough, and it needs all of its schemes. */
  requirementOf(operation: unknown, entry: Entry): Requirement {
    const own = fieldOf(operation, 'security') ?? this.general
    const alternatives = itemsOf(own).filter(isFields)
    if (alternatives.length === 0) return { methods: [], scopes: [], isPublic: true, isClosed: false }
    const methods = new Set<string>()
    const scopes = new Set<string>()
    let isPublic = false
    let needsToken = true
    for (const alternative of alternatives) {
      const names = Object.keys(alternative)
      if (names.length === 0) isPublic = true
      const usable = names.flatMap((name) => {
        const method = this.methodOf(name)
        return method === null ? [] : [{ method, scopes: textsOf(alternative[name]) }]
      })
      // A token identifies the user, whereas a key next to it often identifies only the application.
      const known = usable.find(({ method }) => method.isToken) ?? usable[0]
      if (names.length > 1)
        entry.tell(
          'different',
          `It requires ${names.join(' and ')} together. Here one method is enough${known === undefined ? '' : `, ${known.method.name}`}.`,
        )
      if (known === undefined) continue
      methods.add(known.method.name)
      if (!known.method.isToken) needsToken = false
      for (const scope of known.scopes) scopes.add(scope)
    }
    if (alternatives.length > 1 && scopes.size > 0)
      entry.tell('narrower', 'The scopes of all alternatives are required together.')
    if (scopes.size > 0 && !needsToken)
      entry.tell('narrower', 'Only tokens have scopes: callers with other credentials are refused.')
    const isClosed = methods.size === 0 && !isPublic
    if (isClosed)
      entry.tell(
        'different',
        'Its security schemes are not supported, so all requests are refused. Configure auth, and remove ip-access.',
      )
    return {
      methods: [...methods].toSorted(),
      scopes: [...scopes].filter((scope) => scope !== 'openid'),
      isPublic,
      isClosed,
    }
  }

  private get methods(): Method[] {
    return [...this.converted.values()].filter((method) => method !== null)
  }

  private methodOf(name: string): Method | null {
    const known = this.converted.get(name)
    if (known !== undefined) return known
    const scheme = this.schemes.get(name)
    const method = scheme === undefined ? null : this.convert(scheme)
    this.converted.set(name, method)
    return method
  }

  private convert({ value, entry }: Scheme): Method | null {
    const method = methodOf(value, entry, this.ask)
    if (method === null) return null
    const [owner, other] = [...this.converted].find(([, each]) => each?.name === method.name) ?? []
    if (owner !== undefined && JSON.stringify(other?.options) !== JSON.stringify(method.options)) {
      entry.tell(
        'left out',
        `There can be only one method ${method.name}, which is used for ${owner}: see docs/authentication.md.`,
      )
      return null
    }
    entry.tell('different', method.advice)
    return method
  }
}

function methodOf(scheme: unknown, entry: Entry, ask: AskVariable): Method | null {
  const type = textOf(fieldOf(scheme, 'type'))
  const http = (textOf(fieldOf(scheme, 'scheme')) ?? '').toLowerCase()
  if (type === 'http' && http === 'bearer') return tokensByKeySet(entry, ask)
  if (type === 'oauth2') return tokensByKeySet(entry, ask)
  if (type === 'http' && http === 'basic') {
    const user = {
      name: ask('BASIC_USER', 'the name of a user', entry),
      password: ask('BASIC_PASSWORD_DIGEST', 'the hash of its password, from sallyport password', entry),
    }
    return {
      name: 'basic',
      options: { users: [user] },
      isToken: false,
      advice: 'Add your users, with passwords hashed by sallyport password.',
    }
  }
  if (type === 'openIdConnect') {
    const issuer = (textOf(fieldOf(scheme, 'openIdConnectUrl')) ?? '').replace(DISCOVERY, '')
    if (/^https?:\/\/[^\s@]+$/.test(issuer))
      return {
        name: 'jwt',
        options: { issuer },
        isToken: true,
        advice:
          'Accepts bearer tokens of this issuer. Set audience, because tokens with an aud claim are refused without it.',
      }
  }
  const name = textOf(fieldOf(scheme, 'name')) ?? ''
  const place = textOf(fieldOf(scheme, 'in'))
  const advice = 'Create keys with sallyport keys create, and add them under keys, or set store: redis.'
  if (type === 'apiKey' && place === 'header' && isToken(name) && !isWireField(name))
    return { name: 'api-key', options: { header: name, keys: [] }, isToken: false, advice }
  if (type === 'apiKey' && place === 'query' && name !== '')
    return { name: 'api-key', options: { query: name, keys: [] }, isToken: false, advice }
  entry.tell(
    'left out',
    `A scheme ${[type, http, place].filter((text) => text !== undefined && text !== '').join(' ')} is not imported: see docs/authentication.md for what there is.`,
  )
  return null
}

function tokensByKeySet(entry: Entry, ask: AskVariable): Method {
  const jwks = ask('JWKS_URL', 'the URL of the key set that tokens are verified with', entry)
  return {
    name: 'jwt',
    options: { jwks },
    isToken: true,
    advice:
      'Tokens are verified with this key set. For an OpenID provider use issuer instead, and for a shared secret secret. Set audience if tokens have an aud claim.',
  }
}
