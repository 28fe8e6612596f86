/** Other spellings of units. */
const DURATION_UNITS: Readonly<Record<string, string>> = {
  '': 's',
  ms: 'ms',
  msec: 'ms',
  s: 's',
  sec: 's',
  second: 's',
  m: 'm',
  min: 'm',
  minute: 'm',
  h: 'h',
  hr: 'h',
  hour: 'h',
  d: 'd',
  day: 'd',
}
const SIZE_UNITS: Readonly<Record<string, string>> = {
  '': 'b',
  b: 'b',
  byte: 'b',
  k: 'kb',
  kb: 'kb',
  kib: 'kb',
  m: 'mb',
  mb: 'mb',
  mib: 'mb',
  g: 'gb',
  gb: 'gb',
  gib: 'gb',
}
/** Longer texts are not repeated in the suggestion, in characters. */
const MAX_LENGTH = 80
const WORDS: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  true: true,
  no: false,
  off: false,
  false: false,
}

/** The probable intended spelling of a value where `expected` says what is allowed; undefined if it is unknown. */
export function correctedValue(expected: string, value: unknown): string | undefined {
  if (expected.startsWith('expected a duration')) return withUnit(value, DURATION_UNITS)
  if (expected.startsWith('expected a size')) return withUnit(value, SIZE_UNITS)
  if (/ a rate such as/.test(expected)) return asRate(value)
  if (value === true && / a map(?: with|$)/.test(expected)) return '{}'
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined
  // An instance without its scheme.
  if (expected.startsWith('expected a URL such as "http:') && HOST_AND_PORT.test(value))
    return JSON.stringify(`http://${value}`)
  if (expected.startsWith('expected a list')) return `[${JSON.stringify(value)}]`
  if (/^expected a (?:whole )?number/.test(expected) && /^-?\d+(?:\.\d+)?$/.test(value)) return value
  const word = value.toLowerCase()
  if (expected.startsWith('expected true or false') && Object.hasOwn(WORDS, word)) return String(WORDS[word])
  return undefined
}

const HOST_AND_PORT = /^(?:[a-z0-9][\w.-]*|\[[0-9a-f:]+\]):\d{1,5}$/i

const RATE =
  /^\s*(\d{1,12})\s*(?:\/|per)\s*(?:(s)(?:ec(?:ond)?)?|(m)(?:in(?:ute)?)?|(h)(?:(?:ou)?r)?|(d)(?:ay)?)s?\s*$/i

function asRate(value: unknown): string | undefined {
  const [, requests, ...units] = typeof value === 'string' ? (RATE.exec(value) ?? []) : []
  const unit = units.find((letter) => letter !== undefined)?.toLowerCase()
  const meant = `${requests}/${unit}`
  const isMeant = unit !== undefined && Number(requests) > 0 && meant !== value
  return isMeant ? JSON.stringify(meant) : undefined
}

function withUnit(value: unknown, units: Readonly<Record<string, string>>): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const [, digits = '', written = ''] = /^\s*(\d{1,12})\s*([a-z]*)\s*$/i.exec(String(value)) ?? []
  const unit = written.toLowerCase()
  const name = Object.hasOwn(units, unit) ? unit : unit.replace(/s$/, '')
  // Zero is hardly meant, and the unit of a small bare size is unclear.
  const isVague = !/[1-9]/.test(digits) || (units === SIZE_UNITS && unit === '' && Number(digits) < 1024)
  const known = Object.hasOwn(units, name) ? units[name] : undefined
  if (isVague || known === undefined) return undefined
  const meant = digits + known
  return meant === value ? undefined : JSON.stringify(meant)
}
