import { createRequire } from 'node:module'
import type * as Protobuf from '@bufbuild/protobuf'
import type * as WellKnown from '@bufbuild/protobuf/wkt'

const require = createRequire(import.meta.url)

/** Converts messages between Protobuf and JSON by their descriptors; loaded on first use. */
export function protobuf(): typeof Protobuf {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('@bufbuild/protobuf') as typeof Protobuf
}

/** The types defined by Protobuf itself. */
export function wellKnown(): typeof WellKnown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require knows no types
  return require('@bufbuild/protobuf/wkt') as typeof WellKnown
}
