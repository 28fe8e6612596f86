import { z } from 'zod'
import type { Edit } from '../../config/edited-source.ts'
import type { Path } from '../../config/problems.ts'
import { GatewayError } from '../../core/errors.ts'
import { at, fieldOf, itemsOf } from '../../core/value.ts'

/** The allowed values of an option, in words. */
export const valueExpected =
  'expected a number, a rate such as "100/m", a duration such as "5s" or a part such as "20%"'

const PLAIN = /^\d+(?:\.\d+)?(?:[a-z%]+|\/\d*[a-z]+)?$/
const LENGTH = 64

/** A value that an option may be set to. */
export const optionValue = z.union([z.boolean(), z.number(), z.string().max(LENGTH), z.null()])

/** Whether the value is free of files, variables and programs, whatever the option. */
export function isPlain(value: OptionValue): boolean {
  return typeof value !== 'string' || PLAIN.test(value)
}

/** The value of an option; null if the text does not set it. */
export type OptionValue = z.output<typeof optionValue>

/** Editable options of routes, with their paths below the route. */
const ofRoutes: Readonly<Record<string, Path>> = {
  'timeouts.response': ['timeouts', 'response'],
  'timeouts.total': ['timeouts', 'total'],
  'rate-limit.unauthenticated': ['policies', 'rate-limit', 'tiers', 'unauthenticated'],
  'rate-limit.authenticated': ['policies', 'rate-limit', 'tiers', 'authenticated'],
  'rate-limit.api_key': ['policies', 'rate-limit', 'tiers', 'api_key'],
  maintenance: ['policies', 'maintenance'],
}

/** Editable options of services, with their paths below the service. */
const ofServices: Readonly<Record<string, Path>> = {
  'timeouts.connect': ['timeouts', 'connect'],
  'timeouts.response': ['timeouts', 'response'],
  'timeouts.total': ['timeouts', 'total'],
  'retry.off': ['retry'],
  'retry.attempts': ['retry', 'attempts'],
  'retry.budget': ['retry', 'budget'],
  'concurrency.off': ['concurrency'],
  concurrency: ['concurrency'],
}

/** One route or service. */
export interface Subject {
  readonly kind: 'route' | 'service'
  readonly name: string
}

/** An option, with its path in the text and its value there. */
export interface Option {
  readonly option: string
  readonly path: Path
  readonly value: OptionValue
  /** The change of the text; null if there is nothing to change. */
  readonly edit: (value: OptionValue) => Edit | null
}

/** The options of a route or service in the data of a configuration's text. Throws GatewayError 'conflict' if the text does not contain it. */
export function optionsOf(data: unknown, { kind, name }: Subject): Option[] {
  const base = kind === 'route' ? routePath(data, name) : ['services', name]
  if (base === null || valueAt(data, base) === undefined)
    throw new GatewayError(
      'conflict',
      `The text of the configuration does not contain the ${kind} ${name}: change it where it is defined.`,
    )
  const places = Object.entries(kind === 'route' ? ofRoutes : ofServices)
  const plain = places.map(([option, steps]): Option => {
    const path = [...base, ...steps]
    const written = valueAt(data, path)
    if (option.endsWith('.off')) return offSwitch(option, path, written)
    return {
      option,
      path,
      value: option === 'maintenance' ? isOn(written) : plainOf(written),
      edit: (value) => ({ path, value: option === 'maintenance' && value === true ? {} : (value ?? undefined) }),
    }
  })
  return kind === 'route' ? plain : [...plain, ...weightsOf(data, base)]
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce(at, data)
}

function routePath(data: unknown, id: string): Path | null {
  const index = itemsOf(fieldOf(data, 'routes')).findIndex((route) => fieldOf(route, 'id') === id)
  return index === -1 ? null : ['routes', index]
}

/** Switches something off by writing `false` in its place. */
function offSwitch(option: string, path: Path, written: unknown): Option {
  const isOff = written === false
  const edit = (value: OptionValue): Edit | null => {
    if (value === true) return { path, value: false }
    return isOff ? { path, value: undefined } : null
  }
  return { option, path, value: isOff || null, edit }
}

function isOn(value: unknown): boolean | null {
  return value === undefined ? null : value !== false
}

function plainOf(value: unknown): OptionValue {
  return optionValue.safeParse(value).data ?? null
}

/** The weights of the instances that are listed individually. */
function weightsOf(data: unknown, base: Path): Option[] {
  const list = [...base, 'instances']
  return itemsOf(valueAt(data, list)).flatMap((entry, i): Option[] => {
    const url = typeof entry === 'string' ? entry : fieldOf(entry, 'url')
    if (typeof url !== 'string' || !/^https?:\/\/[^,]+$/.test(url)) return []
    const path = [...list, i]
    const own = typeof entry === 'object'
    return [
      {
        option: `weight ${url.replace(/^https?:\/\//, '').replace(/\/$/, '')}`,
        path: own ? [...path, 'weight'] : path,
        value: own ? plainOf(fieldOf(entry, 'weight')) : null,
        edit: (value) =>
          own
            ? { path: [...path, 'weight'], value: value ?? undefined }
            : { path, value: value === null ? url : { url, weight: value } },
      },
    ]
  })
}
