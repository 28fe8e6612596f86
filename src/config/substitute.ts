/** Variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What became of a text: its value, or what is wrong with it; never with a variable's value in the words. */
export type Substitution = { readonly text: string; readonly problems: readonly string[] }

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** "$$", a whole substitution, or the beginning of one that is not closed. */
const PARTS = /\$\$|\$\{([^}]*)\}|\$\{/g
/** Names of variables that hold what nobody is to read. */
const SECRET =
  /SECRET|TOKEN|PASS(?:WORD|WD|PHRASE)?(?:_|$)|CREDENTIAL|(?:^|_)(?:KEY|PWD|PW|AUTH|SALT)(?:_|$)|PRIVATE|APIKEY/i
const WHOLE = /^\$\{[^}]*\}$/

/**
 * Replaces `${NAME}` and `${NAME:-default}` by the variable's value and `$$` by a dollar; what is put in is not looked at
 * again. An empty variable counts as one that is not set. The default ends at the first "}".
 */
export function substitute(text: string, environment: Environment): Substitution {
  const problems: string[] = []
  const replaced = text.replace(PARTS, (part, inside: string | undefined) => {
    if (part === '$$') return '$'
    if (inside === undefined) {
      problems.push('"${" without its "}": write "$$" for a dollar sign')
      return ''
    }
    const [name, fallback] = splitOnce(inside, ':-')
    if (!NAME.test(name)) {
      problems.push(`"${part}" names no environment variable: expected "\${NAME}" or "\${NAME:-default}"`)
      return ''
    }
    if (fallback?.includes('${')) {
      problems.push(`the default of "\${${name}:-…}" holds another "\${": expected plain text up to the "}"`)
      return ''
    }
    const value = (Object.hasOwn(environment, name) && environment[name]) || fallback
    if (value === undefined) problems.push(`environment variable ${name} is not set: ${adviceFor(name)}`)
    return value ?? ''
  })
  return { text: replaced, problems }
}

/** A secret that stands in the file is none. */
function adviceFor(name: string): string {
  return SECRET.test(name) ? 'set it' : `set it, or write "\${${name}:-default}"`
}

/** Whether the text is one substitution and nothing else, so that it may stand for a number, true or false. */
export function isWholeSubstitution(text: string): boolean {
  return WHOLE.test(text)
}

function splitOnce(text: string, separator: string): [before: string, after?: string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}
