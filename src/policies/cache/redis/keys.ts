/** Prefixes that were invalidated recently. */
export const PREFIXES = 'sallyport:cache-prefixes'

const URLS = 'sallyport:cache:{'

/** The hash tag must be enclosed by the braces of the key, not by any in the text. */
function tag(text: string): string {
  return text.replaceAll('{', '%7B').replaceAll('}', '%7D')
}

/**
 * Everything stored for a URL: a sorted set of its indexes and groups, scored by when they end. All other keys of the URL begin
 * with it and share its hash tag, "sallyport:cache:{example.com/path}".
 */
export function urlKey(url: string): string {
  return `${URLS}${tag(url)}}`
}

/** A hash: what each variant of a cache key answers -> its id and description. */
export function indexKey(urlName: string, key: string): string {
  return `${urlName}:key:${key}`
}

/** A hash with the head and the body pieces of one entry. */
export function entryKey(urlName: string, id: string): string {
  return `${urlName}:entry:${id}`
}

/** The URLs with entries in a group, scored by when they end. */
export function groupKey(group: string): string {
  return `sallyport:cache-group:{${tag(group)}}`
}

/** When a URL or group was invalidated. */
export function tombstoneKey(name: string): string {
  return `${name}:gone`
}

/** A pattern that matches exactly the keys of all URLs with the prefix. */
export function urlPattern(prefix: string): string {
  return `${URLS}${tag(prefix).replaceAll(/[*?[\]\\]/g, String.raw`\$&`)}*}`
}
