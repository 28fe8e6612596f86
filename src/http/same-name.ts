/** Whether the field name occurs at that position of the text, ignoring case (RFC 9110 section 5.1). */
export function sameNameAt(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const a = text.charCodeAt(at + i)
    const b = name.charCodeAt(i)
    if (a !== b && ((a ^ b) !== CASE || !isLetter(a | CASE))) return false
  }
  return true
}

/** The same for services that treat "_" like "-", as CGI does (RFC 3875 section 4.1.18). */
export function sameForCgiAt(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const a = folded(text.charCodeAt(at + i))
    const b = folded(name.charCodeAt(i))
    if (a !== b && ((a ^ b) !== CASE || !isLetter(a | CASE))) return false
  }
  return true
}

/** The bit in which upper and lower case differ. */
const CASE = 0x20

const HYPHEN = 45
const UNDERSCORE = 95

function folded(code: number): number {
  return code === UNDERSCORE ? HYPHEN : code
}

function isLetter(code: number): boolean {
  return code >= 97 && code <= 122
}
