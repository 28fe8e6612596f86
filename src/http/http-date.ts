const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)'
const LONG_DAY = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)'
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'

/** RFC 9110 section 5.6.7: IMF-fixdate and the two obsolete formats that recipients must accept. */
const FORMS = [
  `${DAY}, (?<day>\\d\\d) (?<month>[a-z]{3}) (?<year>\\d{4}) ${TIME} gmt`,
  `${LONG_DAY}, (?<day>\\d\\d)-(?<month>[a-z]{3})-(?<year>\\d\\d) ${TIME} gmt`,
  `${DAY} (?<month>[a-z]{3}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'))

/**
 * An HTTP date in milliseconds since 1970-01-01T00:00:00Z, or null; `now`, in the same unit, determines the century of
 * two-digit years.
 */
export function parseHttpDate(text: string | undefined, now: number): number | null {
  if (text === undefined) return null
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups
    if (parts !== undefined) return timeOf(parts, now)
  }
  return null
}

function timeOf(parts: Readonly<Record<string, string>>, now: number): number | null {
  const { day, month: name = '', year = '', hour, minute, second } = parts
  const month = MONTHS.indexOf(name.toLowerCase())
  const [date, hours, minutes, seconds] = [Number(day), Number(hour), Number(minute), Number(second)]
  if (month === -1 || date < 1 || date > 31 || hours > 23 || minutes > 59 || seconds > 60) return null
  return Date.UTC(fullYear(year, now), month, date, hours, minutes, seconds)
}

/** A two-digit year that would be over 50 years ahead is in the past century. */
function fullYear(year: string, now: number): number {
  if (year.length === 4) return Number(year)
  const current = new Date(now).getUTCFullYear()
  const full = current - (current % 100) + Number(year)
  return full > current + 50 ? full - 100 : full
}
