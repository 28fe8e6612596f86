import { createRequire } from 'node:module'
import type * as Protobuf from '@bufbuild/protobuf'
import type * as WellKnown from '@bufbuild/protobuf/wkt'

const require = createRequire(import.meta.url)

/** Messages by their descriptors, in Protobuf and in JSON; loaded where somebody uses it. */
export function protobuf(): typeof Protobuf {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('@bufbuild/protobuf') as typeof Protobuf
}

/** The types that Protobuf itself has. */
export function wellKnown(): typeof WellKnown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('@bufbuild/protobuf/wkt') as typeof WellKnown
}
