/** Settings from resolv.conf(5) for names that are not fully qualified. */
export interface ResolvConf {
  /** Search domains, in the order in which they are tried. */
  readonly search: readonly string[]
  /** A name with at least this many dots is tried as is before the search domains. */
  readonly ndots: number
}

/** Defaults if the file does not exist. */
export const NO_RESOLV_CONF: ResolvConf = { search: [], ndots: 1 }

/** Maximum number of domains and dots taken from a file, as each name is tried in every domain. */
const DOMAINS = 32
const NDOTS = 15

/** Parses the text of /etc/resolv.conf; unknown and malformed lines are ignored. */
export function parseResolvConf(text: string): ResolvConf {
  let { search, ndots } = NO_RESOLV_CONF
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    // The last of either keyword wins.
    if (keyword === 'search' || keyword === 'domain') search = values.map(withoutDot).filter((name) => name !== '')
    if (keyword !== 'options') continue
    for (const option of values) {
      const dots = /^ndots:(\d{1,9})$/.exec(option)?.[1]
      if (dots !== undefined) ndots = Math.min(Number(dots), NDOTS)
    }
  }
  return { search: search.slice(0, DOMAINS), ndots }
}

/** The fully qualified names that a name may stand for, in the order in which they are tried until one of them exists. */
export function namesFor(name: string, { search, ndots }: ResolvConf): readonly string[] {
  if (name.endsWith('.')) return [withoutDot(name)]
  const dots = name.split('.').length - 1
  const within = search.map((domain) => `${name}.${domain}`)
  return dots >= ndots ? [name, ...within] : [...within, name]
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '')
}
