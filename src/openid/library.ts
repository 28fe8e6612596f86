import { createRequire } from 'node:module'
import type * as Library from 'openid-client'

const require = createRequire(import.meta.url)

/** The library for OpenID clients, loaded with the first login. */
export function openidClient(): typeof Library {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('openid-client') as typeof Library
}
