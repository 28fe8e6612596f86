import { hash } from 'node:crypto'
import type { CacheSettings } from './settings.ts'

/** Characters of a digest that name rules. */
const LENGTH = 16

/**
 * Names the rules that replies are stored by, and where they come from, in a short text without spaces. It is part of what
 * they are found by: whoever stores by other rules neither finds them nor changes them.
 */
export function rulesOf(
  { share, query, setCookie, targets }: Pick<CacheSettings, 'share' | 'setCookie' | 'targets'> & { query: unknown },
  source: string,
): string {
  return hash('sha256', JSON.stringify([source, share, query, setCookie, targets]), 'base64url').slice(0, LENGTH)
}
