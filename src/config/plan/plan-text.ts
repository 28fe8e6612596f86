import { type ChangeClass, changeClasses, OTHERWISE } from './effects.ts'
import type { Change, Plan } from './plan.ts'
import type { UnitAt } from './units.ts'
import { writtenValue } from './written-value.ts'
import { formatPath, type Path } from '../problems.ts'
import { fieldOf, isFields, itemsOf } from '../../core/value.ts'

/** Maximum length of a value in characters; longer ones are truncated. */
const MAX = 100
/** The number of routes that are named; the rest are counted. */
const MAX_ROUTES = 10

const SIGNS = { added: '+', removed: '-', changed: '~' } as const

const HEADINGS: Readonly<Record<ChangeClass, string>> = {
  'needs-restart': 'Needs a restart: these are fixed while the process runs',
  'ends-tunnels': 'Ends tunnels: WebSockets and streams are cut off',
  'resets-state': 'Resets state: something counted, stored or known starts over',
  live: 'Live: nothing is lost; new requests use the change, requests in flight finish as they began',
}

/** A plan in human-readable form: the changes by impact, each with its effects unless the heading already says them. */
export function planText({ changes }: Plan, unitAt: UnitAt): string {
  if (changes.length === 0) return 'No changes.'
  const groups = changeClasses.flatMap((name) => {
    const own = changes.filter((change) => change.class === name)
    return own.length === 0 ? [] : [[HEADINGS[name], ...own.map((change) => changeText(change, unitAt))].join('\n')]
  })
  return [...groups, summaryOf(changes)].join('\n\n')
}

function summaryOf(changes: readonly Change[]): string {
  const counts = changeClasses.flatMap((name) => {
    const count = changes.filter((change) => change.class === name).length
    return count === 0 ? [] : [`${count} ${name}`]
  })
  const restart = changes.some((change) => change.class === 'needs-restart')
  const how = restart ? 'A restart is required.' : 'No restart is required.'
  return `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}: ${counts.join(', ')}. ${how}`
}

function changeText(change: Change, unitAt: UnitAt): string {
  const { kind, path, routes, effects } = change
  const reach = routes === null ? [] : [reachText(routes)]
  const lines = [`${SIGNS[kind]} ${formatPath(path)}${valuesText(change, unitAt)}`]
  const shownEffects = effects.filter((text) => text !== OTHERWISE.text)
  return [...lines, ...[...reach, ...shownEffects].map((text) => `    ${text}`)].map((line) => `  ${line}`).join('\n')
}

function reachText(routes: readonly string[]): string {
  if (routes.length === 0) return 'No route uses it.'
  const more = routes.length - MAX_ROUTES
  return `Routes: ${routes.slice(0, MAX_ROUTES).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}

function valuesText({ kind, path, before, after }: Change, unitAt: UnitAt): string {
  if (kind === 'changed') {
    const was = fullText(writtenValue(before, path, unitAt))
    const is = fullText(writtenValue(after, path, unitAt))
    if (was === is) return ': changed, and not shown'
    return cut(was) === cut(is) ? ': changed; --json shows all of it' : `: ${cut(was)} → ${cut(is)}`
  }
  const value = kind === 'added' ? after : before
  return `: ${itemText(path, value) ?? cut(fullText(writtenValue(value, path, unitAt)))}`
}

/** For an item with many options, the ones that identify it. */
function itemText([family, ...rest]: Path, value: unknown): string | null {
  if (rest.length !== 1) return null
  if (family === 'routes')
    return `${itemsOf(fieldOf(fieldOf(value, 'match'), 'path')).join(', ')} -> ${targetOf(value)}`
  if (family === 'services') return serviceText(value)
  if (family === 'listeners') return fieldOf(value, 'tls') === undefined ? 'http' : 'https'
  return null
}

/** The address of a service, or how its instances are discovered. */
function serviceText(value: unknown): string | null {
  const addresses = Object.keys(fieldOf(value, 'instances') ?? {})
  if (addresses.length > 0) return addresses.join(', ')
  const discover = fieldOf(value, 'discover')
  const name = fieldOf(fieldOf(discover, 'dns'), 'name') ?? fieldOf(fieldOf(discover, 'kubernetes'), 'service')
  return typeof name === 'string' ? `discovered by ${name}` : null
}

function targetOf(route: unknown): string {
  const service = fieldOf(route, 'service')
  if (typeof service === 'string') return service
  if (fieldOf(route, 'files') !== undefined) return 'files'
  return fieldOf(route, 'redirect') === undefined ? 'fixed reply' : 'redirect'
}

function cut(text: string): string {
  return text.length > MAX ? `${text.slice(0, MAX - 1)}…` : text
}

function fullText(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  if (typeof value === 'string') return /^(?![,{}[\]:])[!#-z|~]+$/.test(value) ? value : quoted(value)
  if (Array.isArray(value)) return `[${itemsOf(value).map(fullText).join(', ')}]`
  if (!isFields(value)) return JSON.stringify(value)
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${fullText(field)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** Quoted, without control sequences that a terminal would interpret. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007F-\u009F]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`)
}
