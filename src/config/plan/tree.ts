import { relative } from 'node:path'
import { LISTENER_FILES, NETWORK_FILES } from '../file-paths.ts'
import { maskedConfig } from '../masked-config.ts'
import { ANY, matching, optionPaths } from '../option-paths.ts'
import type { Path } from '../problems.ts'
import { at, fieldOf, type Fields, isFields, itemsOf, putAll } from '../../core/value.ts'
import { canonical, digestOf } from './canonical.ts'
import type { Side } from './side.ts'

/** One configuration for comparison: the same tree with secrets and in the form that may be shown. */
export interface Tree {
  readonly real: unknown
  readonly shown: unknown
}

/** Where the configuration names files that are not read into it; their paths are absolute after loading. */
const FILES: readonly Path[] = [
  ...LISTENER_FILES,
  ['listeners', ANY, 'tls', 'acme', 'folder'],
  ['services', ANY, 'tls', 'files', ANY],
  ['stores', 'redis', 'tls', 'files', ANY],
  NETWORK_FILES,
  ['ownPolicies', ANY, 'file'],
]

/**
 * Trees of two configurations in which named things are found by name and equivalent values are equal: lists of routes, listeners and
 * instances are maps, defaults that come from elsewhere are filled in, and paths are relative.
 */
export function treesOf(before: Side, after: Side): readonly [Tree, Tree] {
  const [filesBefore, filesAfter] = [filesOf(before), filesOf(after)]
  const isCommon = (file: string): boolean =>
    before.folder !== after.folder && filesBefore.has(file) && filesAfter.has(file)
  return [treeOf(before, isCommon), treeOf(after, isCommon)]
}

function filesOf({ config }: Side): ReadonlySet<unknown> {
  return new Set(FILES.flatMap((place) => matching(config, place)).map((path) => path.reduce<unknown>(at, config)))
}

function treeOf(side: Side, isCommon: (file: string) => boolean): Tree {
  const edit = edits(side, isCommon)
  const form = (value: unknown): unknown => keyed(canonical(edit(value)), side)
  return { real: form(side.config), shown: form(maskedConfig(side.config)) }
}

/** Replaces the same values in the configuration and in the masked one. */
function edits({ config, chain, folder }: Side, isCommon: (file: string) => boolean): (value: unknown) => unknown {
  const valueAt = (path: Path): unknown => path.reduce<unknown>(at, config)
  const redis = config.stores.redis !== null
  const places = (patterns: readonly Path[]): Path[] => patterns.flatMap((pattern) => matching(config, pattern))
  const replaced: (readonly [Path, unknown])[] = []
  const read = optionPaths(chain, ({ documents = [], files = [] }) => [...documents, ...files.map((file) => file.path)])
  for (const path of places(read)) if (valueAt(path) !== undefined) replaced.push([path, digestOf(valueAt(path))])
  for (const path of places(FILES)) {
    const file = valueAt(path)
    if (typeof file === 'string') replaced.push([path, isCommon(file) ? file : relative(folder, file)])
  }
  for (const { name, stores = [] } of chain)
    for (const { path: steps, instead } of stores)
      for (const path of places(optionPaths(chain, (policy) => (policy.name === name ? [steps] : []))))
        if (isFields(valueAt(path.slice(0, -1))) && valueAt(path) === undefined)
          replaced.push([path, redis ? 'redis' : instead])
  return (value) => putAll(value, replaced)
}

function keyed(value: unknown, { config, code }: Side): unknown {
  if (!isFields(value)) return value
  const files = itemsOf(value['ownPolicies'])
  const own = code.map(({ policy, digest }, i): [string, Fields] => [
    policy,
    { ...fieldsOf(files[i]), code: digest.slice(0, 12) },
  ])
  return {
    ...value,
    listeners: byName(
      itemsOf(value['listeners']).map((each) => withPort(each, config.listeners)),
      'address',
    ),
    services: mapValues(value['services'], (service) => ({ ...fieldsOf(service), instances: instancesOf(service) })),
    policies: active(value['policies']),
    ownPolicies: Object.fromEntries(own),
    routes: byName(
      itemsOf(value['routes']).map((route) => routeOf(route, value['pathParameters'])),
      'id',
    ),
  }
}

function routeOf(route: unknown, pathParameters: unknown): Fields {
  const fields = fieldsOf(route)
  return { pathParameters, ...fields, policies: active(fields['policies']) }
}

/** The port that requests are redirected to, if it is given as "true". */
function withPort(listener: unknown, all: Side['config']['listeners']): Fields {
  const fields = fieldsOf(listener)
  if (fields['redirectToHttps'] !== true) return fields
  return { ...fields, redirectToHttps: all.find(({ tls }) => tls !== undefined)?.address.port ?? true }
}

function instancesOf(service: unknown): Fields {
  return byName(itemsOf(fieldOf(service, 'instances')).map(instanceOf), 'address')
}

function instanceOf(instance: unknown): Fields {
  const { url, ...rest } = fieldsOf(instance)
  const { scheme, host, port } = fieldsOf(url)
  return { ...rest, scheme, address: canonical({ host, port }) }
}

/** The policies that are on: a policy that is turned off equals one that is absent. */
function active(policies: unknown): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(policies)).filter(([, options]) => options !== false))
}

/** A map of the items by their value of `key`; further items with the same value, such as "0.0.0.0:0", are numbered. */
function byName(items: readonly unknown[], key: string): Fields {
  const seen = new Map<string, number>()
  return Object.fromEntries(
    items.map((item) => {
      const { [key]: name, ...rest } = fieldsOf(item)
      const text = String(name)
      const number = (seen.get(text) ?? 0) + 1
      seen.set(text, number)
      return [number === 1 ? text : `${text} (${number})`, rest]
    }),
  )
}

function mapValues(value: unknown, change: (value: unknown) => unknown): Fields {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, field]) => [key, change(field)]))
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}
