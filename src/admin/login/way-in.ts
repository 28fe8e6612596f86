import type { FastifyRequest } from 'fastify'
import { HOME } from '../console.ts'

/** The query parameter of the console with the page to open after a login. */
const RETURN = 'return'

/**
 * Where the browser of someone who is not logged in is sent instead of a page that needs a login: to the console, which leads back after the
 * login. Null for requests that do not ask for a page, such as those of programs.
 */
export function wayIn({ method, url, headers }: Pick<FastifyRequest, 'method' | 'url' | 'headers'>): string | null {
  const { accept, authorization } = headers
  if (method !== 'GET' || authorization !== undefined || accept?.includes('text/html') !== true) return null
  return `${HOME}?${new URLSearchParams({ [RETURN]: url }).toString()}`
}
