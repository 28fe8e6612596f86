/** Prefixes that were made invalid of late. */
export const PREFIXES = 'sallyport:cache-prefixes'

const URLS = 'sallyport:cache:{'

/** The braces of a hash tag are those of the key, not of what stands between them. */
function tag(text: string): string {
  return text.replaceAll('{', '%7B').replaceAll('}', '%7D')
}

/**
 * What is stored for a URL: a sorted set of its indexes and groups, by when they end. All other keys of the URL begin with
 * it and share its hash tag, "sallyport:cache:{example.com/path}".
 */
export function urlKey(url: string): string {
  return `${URLS}${tag(url)}}`
}

/** A hash: what each variant of a cache key answers -> its id, and what there is to know of it. */
export function indexKey(urlName: string, key: string): string {
  return `${urlName}:key:${key}`
}

/** A hash with the head and the pieces of the body of one entry. */
export function entryKey(urlName: string, id: string): string {
  return `${urlName}:entry:${id}`
}

/** The URLs with entries in a group, by when they end. */
export function groupKey(group: string): string {
  return `sallyport:cache-group:{${tag(group)}}`
}

/** When a URL or group was made invalid. */
export function tombstoneKey(name: string): string {
  return `${name}:gone`
}

/** A pattern for the keys of all URLs that begin so, and no others. */
export function urlPattern(prefix: string): string {
  return `${URLS}${tag(prefix).replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*}`
}
