/** Numbers with units and times with zones, in human-readable form. */

const whole = new Intl.NumberFormat('en')
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const twoDigits = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })

/** A count, such as 12,345. */
export function count(value: number): string {
  return whole.format(Math.round(value))
}

/** Requests per second, such as "0.4/s" and "1,250/s"; "–" for zero. */
export function rate(value: number): string {
  if (value === 0) return '–'
  return value < 0.05 ? '<0.1/s' : `${value < 10 ? oneDigit.format(value) : count(value)}/s`
}

/** Like `rate`, for a number that stands alone: "0/s" for zero. */
export function rateAlone(value: number): string {
  return value === 0 ? '0/s' : rate(value)
}

/** A fraction from 0 to 1 as a percentage that stands alone: "0%" for zero. */
export function shareAlone(value: number): string {
  return value === 0 ? '0%' : share(value)
}

/** A fraction from 0 to 1 as a percentage; "–" for zero. */
export function share(value: number): string {
  if (value === 0) return '–'
  if (value < 0.001) return '<0.1%'
  return value < 0.1 ? `${oneDigit.format(value * 100)}%` : `${count(value * 100)}%`
}

/** Milliseconds, such as "0.8 ms", "240 ms" and "3.2 s"; "–" if unknown. */
export function milliseconds(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–'
  if (value >= 1000) return `${twoDigits.format(value / 1000)} s`
  return value < 10 ? `${twoDigits.format(value)} ms` : `${count(value)} ms`
}

/** Bytes, such as "512 B" and "1.4 MB". */
export function byteSize(value: number): string {
  if (value < 1000) return `${value} B`
  if (value < 1e6) return `${oneDigit.format(value / 1e3)} kB`
  return value < 1e9 ? `${oneDigit.format(value / 1e6)} MB` : `${oneDigit.format(value / 1e9)} GB`
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const

/** A duration in its two largest units, such as "3 d 4 h", "12 min 5 s" and "0 s". */
export function duration(seconds: number): string {
  let left = Math.max(0, Math.round(seconds))
  const first = UNITS.findIndex(([, size]) => left >= size)
  if (first === -1) return '0 s'
  const parts: string[] = []
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const amount = Math.floor(left / size)
    left -= amount * size
    if (amount > 0) parts.push(`${amount} ${unit}`)
  }
  return parts.join(' ')
}

/** The elapsed time, such as "12 s ago"; "just now" for less than two seconds. */
export function ago(time: string | number, now: number): string {
  const seconds = (now - new Date(time).getTime()) / 1000
  return seconds < 2 ? 'just now' : `${duration(seconds)} ago`
}

/** The remaining time, such as "in 12 d 4 h", or "now". */
export function until(time: string | number, now: number): string {
  const seconds = (new Date(time).getTime() - now) / 1000
  return seconds < 1 ? 'now' : `in ${duration(seconds)}`
}

const clockTime = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
})
const withDate = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
  timeZoneName: 'short',
})
const dayOnly = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  timeZoneName: 'short',
})

/** The time of day in the user's zone; `moment` gives the zone, next to it or in its title. */
export function timeOfDay(time: string | number): string {
  return clockTime.format(new Date(time))
}

/** The time of day with tenths of a second, for frequent events. */
export function preciseTime(time: string | number): string {
  const date = new Date(time)
  return `${clockTime.format(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Date, time and zone. */
export function moment(time: string | number): string {
  return withDate.format(new Date(time))
}

/** The date, with its zone. */
export function day(time: string | number): string {
  return dayOnly.format(new Date(time))
}

/** The user's zone, such as "UTC" and "GMT+1". */
export function zone(): string {
  return withDate.formatToParts(new Date()).find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

/** "1 route" and "2 routes". */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`
}

/** The beginning of a long text such as a digest. */
export function short(text: string): string {
  return text.length > 12 ? text.slice(0, 12) : text
}
