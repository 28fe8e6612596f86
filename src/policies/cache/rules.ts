import { hash } from 'node:crypto'
import type { CacheSettings } from './settings.ts'

/** Characters of the digest that names a set of rules. */
const LENGTH = 16

/**
 * Names the rules by which replies are stored, and their source, in a short text without spaces. It is part of the key, so caches
 * with other rules neither find nor change these replies.
 */
export function rulesOf(
  { share, query, setCookie, targets }: Pick<CacheSettings, 'share' | 'setCookie' | 'targets'> & { query: unknown },
  source: string,
): string {
  return hash('sha256', JSON.stringify([source, share, query, setCookie, targets]), 'base64url').slice(0, LENGTH)
}
