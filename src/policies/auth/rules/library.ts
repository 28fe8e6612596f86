import { createRequire } from 'node:module'
import type * as Library from '@marcbachmann/cel-js'

const require = createRequire(import.meta.url)

/** The Common Expression Language, loaded only if a rule uses it. */
export function cel(): typeof Library {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('@marcbachmann/cel-js') as typeof Library
}
