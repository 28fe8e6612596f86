import { z } from 'zod'

const expected = 'expected an http or https URL such as "https://id.example.com/keys"'

/** Schema of an http or https URL without a user name, a password or a fragment. */
export const httpUrl = z.string(expected).refine(isHttpUrl, expected)

/** Schema of an origin: scheme, host and port. */
export const originUrl = httpUrl.refine(
  (url) => URL.parse(url)?.origin === url,
  'expected only scheme, host and port, such as "https://shop.example.com"',
)

/** Whether the text is an http or https URL without a user name, a password or a fragment. */
export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false
  return url.username === '' && url.password === '' && url.hash === ''
}

/** A URL for logs: without its query, which may contain a secret. */
export function shownUrl(url: string): string {
  const [shown = ''] = url.split('?', 1)
  return shown
}
