import * as fc from 'fast-check'

/**
 * The unit of strings of any Unicode characters, a third of them ASCII. fast-check's own unit for this, "binary", takes two seconds to set
 * up in each process.
 */
export const anyCharacter = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((point) => String.fromCodePoint(point))
