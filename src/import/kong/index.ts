import { fieldOf, isFields } from '../../core/value.ts'
import { commentedYaml, Comments } from '../commented.ts'
import { ImportError } from '../import-error.ts'
import type { Imported } from '../imported.ts'
import { Names } from '../names.ts'
import { textOf } from '../read.ts'
import { endpointNotes } from '../own-endpoints.ts'
import { readSourceTree, type SourceTree } from '../source-tree.ts'
import type { Entry } from '../report.ts'
import { variablesIn } from '../variables.ts'
import { AppliedPlugins } from './applied-plugins.ts'
import { compose, withoutPolicy } from './compose.ts'
import { consumerFacts } from './consumer-facts.ts'
import { type MakeDigest, readIdentities } from './consumers.ts'
import { type Context, Variables } from './context.ts'
import { Entities, type Entity } from './entities.ts'
import { kinds } from './kinds.ts'
import { tellOfOthers } from './other-entities.ts'
import { type ImportedRoute, routesOf, type RouteTools } from './routes.ts'
import { type KongService, serviceOf } from './services.ts'

const FORMATS: ReadonlySet<string> = new Set(['1.1', '2.1', '3.0'])

/**
 * Converts a declarative Kong file, in YAML or JSON, to a configuration and a report on each of its entities. Neither contains any of its
 * secrets. `file` is its name, for messages. Throws ImportError.
 */
export async function importKong(text: string, file: string, makeDigest: MakeDigest): Promise<Imported> {
  const tree = readSourceTree(text, file)
  const format = formatOf(tree, file)
  const context: Context = {
    entities: new Entities(tree),
    comments: new Comments(),
    variables: new Variables(),
    guessesRegex: format !== '3.0',
    stores: {},
  }
  const { entities, comments, variables } = context
  const { factsOf, refused } = consumerFacts(context)
  const identities = await readIdentities(context, factsOf, refused, makeDigest)
  tellOfConsumers(context)
  const plugins = new AppliedPlugins(context, identities, fieldOf(tree.value, '_plugin_configs'))
  identities.tellUnused()

  const services = servicesOf(context)
  const tools: RouteTools = { context, names: new Names(), owners: new Map() }
  const routes = entities.ofKind('routes').flatMap((route) => importedRoutes(route, services, plugins, tools))
  tellOfUpstreams(context)
  tellOfOthers(context)

  const used = [...services.values()].filter((service) => service !== null)
  const config = compose(used, routes, plugins, context)
  const owners = ownersOf(context)
  for (const name of variablesOf(config)) variables.note(name, 'used in the imported file', owners.get(name))
  const endpoints = config['endpoints']
  const head = headOf(file, context, withoutPolicy(plugins.everywhere()))
  const entries = entities.all.map(({ entry }) => entry)
  return {
    yaml: `${SCHEMA}\n\n${commentedYaml(config, comments, head)}`,
    report: {
      source: file,
      entries,
      variables: variables.list,
      notes: isFields(endpoints) ? endpointNotes(endpoints) : [],
    },
  }
}

const SCHEMA = '# yaml-language-server: $schema=./node_modules/sallyport/sallyport.schema.json'

function formatOf({ value }: SourceTree, file: string): string {
  if (!isFields(value))
    throw new ImportError(`${file}: is not a declarative configuration of Kong: expected a map with _format_version.`)
  const format = textOf(value['_format_version'])
  // YAML reads 3.0 as a number.
  const known = format === '3' || format === '2' || format === '1' ? `${format}.${format === '3' ? '0' : '1'}` : format
  if (known !== undefined && FORMATS.has(known)) return known
  const expected = `expected _format_version "1.1", "2.1" or "3.0"`
  if (known === undefined) throw new ImportError(`${file}: is not a declarative configuration of Kong: ${expected}.`)
  throw new ImportError(
    `${file}: has _format_version ${JSON.stringify(known)}: ${expected}. Convert it with decK first.`,
  )
}

function servicesOf(context: Context): Map<Entity, KongService | null> {
  const names = new Names()
  return new Map(context.entities.ofKind('services').map((entity) => [entity, serviceOf(entity, names, context)]))
}

function importedRoutes(
  route: Entity,
  services: ReadonlyMap<Entity, KongService | null>,
  plugins: AppliedPlugins,
  tools: RouteTools,
): ImportedRoute[] {
  const owner = tools.context.entities.of(route, 'service')
  if (owner === undefined) {
    route.entry.tell('left out', 'Its service is not in the file.')
    return []
  }
  if (owner !== null && owner.entry.fidelity === 'exact' && services.get(owner) === null) {
    route.entry.tell('exact', 'Its service is disabled.')
    return []
  }
  const answers = plugins.forRoute(route, owner).some(({ fragment }) => fragment.target !== undefined)
  if (owner === null && !answers) {
    route.entry.tell('left out', 'It has no service.')
    return []
  }
  return routesOf(route, (owner === null ? null : services.get(owner)) ?? null, tools)
}

function tellOfConsumers({ entities }: Context): void {
  for (const { fields, entry } of entities.ofKind('consumers'))
    if (textOf(fields['custom_id']) !== undefined && textOf(fields['username']) !== undefined)
      entry.tell(
        'different',
        'custom_id was left out: services get the user name of the consumer in X-User-ID and X-Consumer-Username.',
      )
}

/** Reports the upstreams that no service uses. */
function tellOfUpstreams({ entities }: Context): void {
  const hosts = new Set(
    entities.ofKind('services').flatMap(({ fields }) => {
      const url = /^[a-z]+:\/\/(?:[^/@]*@)?([^/:?#]+)/i.exec(textOf(fields['url']) ?? '')?.[1]
      return url ?? textOf(fields['host']) ?? []
    }),
  )
  for (const upstream of entities.ofKind('upstreams')) {
    const isUsed = [upstream.fields['name'], upstream.fields['id']].some((name) => hosts.has(textOf(name) ?? ''))
    if (!isUsed) upstream.entry.tell('left out', 'No service uses it.')
  }
  for (const target of entities.ofKind('targets')) {
    const upstream = entities.of(target, 'upstream')
    if (!upstream) target.entry.tell('left out', 'Its upstream is not in the file.')
    else if (upstream.entry.fidelity === 'left out') target.entry.tell('left out', 'No service uses its upstream.')
  }
}

function headOf(file: string, { entities }: Context, ofAll: readonly string[]): string[] {
  const gone = entities.all.filter(({ entry, kind }) => entry.fidelity === 'left out' && kind !== 'plugins')
  return [
    `Converted from ${file.replace(/^.*[\\/]/, '')} by sallyport import kong. Comments mark what works differently.`,
    ...ofAll,
    ...gone
      .slice(0, 20)
      .map(({ entry }) => `Left out, line ${entry.position.line}: ${entry.kind} ${entry.name}`.trim()),
    ...(gone.length > 20 ? [`${gone.length - 20} more were left out: see the report.`] : []),
  ]
}

/** The innermost entity that contains each variable. */
function ownersOf({ entities }: Context): Map<string, Entry> {
  const owners = new Map<string, Entry>()
  for (const { kind, fields, entry } of entities.all) {
    const nested = kinds[kind]?.nested ?? {}
    const own = JSON.stringify(Object.entries(fields).filter(([field]) => nested[field] === undefined))
    const bare = Array.from(own.matchAll(/\$([A-Z][A-Z0-9_]*)/g), ([, name = '']) => name)
    for (const name of [...variablesIn(own), ...bare]) if (!owners.has(name)) owners.set(name, entry)
  }
  return owners
}

function variablesOf(value: unknown): Set<string> {
  const names = new Set<string>()
  const seen = new Set<unknown>()
  const look = (each: unknown): void => {
    if (typeof each === 'string') for (const name of variablesIn(each)) names.add(name)
    // A value that occurs in several places is one shared object.
    if (typeof each !== 'object' || each === null || seen.has(each)) return
    seen.add(each)
    for (const child of Object.values(each)) look(child)
  }
  look(value)
  return names
}
