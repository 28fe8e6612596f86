/** What resolv.conf(5) says of names that are not whole. */
export interface ResolvConf {
  /** Domains that a name may be in, in the order in which they are tried. */
  readonly search: readonly string[]
  /** A name with as many dots is tried as it is before it is tried in the domains. */
  readonly ndots: number
}

/** What holds where there is no such file. */
export const NO_RESOLV_CONF: ResolvConf = { search: [], ndots: 1 }

/** The most domains and dots that are taken from a file: each name would be asked for in all of them. */
const DOMAINS = 32
const NDOTS = 15

/** Reads the text of /etc/resolv.conf; what is unknown or malformed in it is passed over. */
export function parseResolvConf(text: string): ResolvConf {
  let { search, ndots } = NO_RESOLV_CONF
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    // The last one of either counts.
    if (keyword === 'search' || keyword === 'domain') search = values.map(withoutDot).filter((name) => name !== '')
    if (keyword !== 'options') continue
    for (const option of values) {
      const dots = /^ndots:(\d{1,9})$/.exec(option)?.[1]
      if (dots !== undefined) ndots = Math.min(Number(dots), NDOTS)
    }
  }
  return { search: search.slice(0, DOMAINS), ndots }
}

/** The whole names that a name may stand for, in the order in which they are asked for: until one of them is known. */
export function namesFor(name: string, { search, ndots }: ResolvConf): readonly string[] {
  if (name.endsWith('.')) return [withoutDot(name)]
  const dots = name.split('.').length - 1
  const within = search.map((domain) => `${name}.${domain}`)
  return dots >= ndots ? [name, ...within] : [...within, name]
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '')
}
