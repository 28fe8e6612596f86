/** Splits a JSON pointer into its reference tokens. The pointer must be empty or begin with "/" (RFC 6901 section 4). */
export function pointerTokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The reference token for a member of that name, to be appended to a pointer (RFC 6901 section 3). */
export function pointerToken(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
