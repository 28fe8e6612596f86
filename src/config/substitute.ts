import { FileError } from '../core/read-text.ts'

/** Variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Reads the contents of a file. Throws FileError. */
export type ReadFile = (path: string) => string

/** The result of a substitution: the text, and the problems, whose wording never includes a variable's value. */
export type Substitution = { readonly text: string; readonly problems: readonly string[] }

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const FILE = 'file:'
/** "$$", a whole substitution, or the start of one that is not closed. */
const PARTS = /\$\$|\$\{([^}]*)\}|\$\{/g
/** Names of variables that hold secrets. */
const SECRET =
  /SECRET|TOKEN|PASS(?:WORD|WD|PHRASE)?(?:_|$)|CREDENTIAL|(?:^|_)(?:KEY|PWD|PW|AUTH|SALT)(?:_|$)|PRIVATE|APIKEY/i
const WHOLE = /^\$\{[^}]*\}$/

/**
 * Replaces `${NAME}` and `${NAME:-default}` by the variable's value, `${file:PATH}` and `${file:PATH:-default}` by the contents of the file
 * without the trailing line break, and `$$` by a dollar sign; inserted text is not scanned again. An empty variable or file counts as
 * absent. The default ends at the first "}".
 */
export function substitute(text: string, environment: Environment, read: ReadFile): Substitution {
  const problems: string[] = []
  const replaced = text.replace(PARTS, (part, inside: string | undefined) => {
    if (part === '$$') return '$'
    if (inside === undefined) {
      problems.push('"${" without its "}": write "$$" for a dollar sign')
      return ''
    }
    const [name, fallback] = splitOnce(inside, ':-')
    if (inside.includes('${')) {
      const what = name.includes('${') ? 'the name' : `the default of "\${${name}:-…}"`
      problems.push(`${what} contains another "\${": expected plain text up to the "}"`)
      return ''
    }
    const found = name.startsWith(FILE) ? fromFile(name.slice(FILE.length), read) : fromVariable(name, environment)
    if ('value' in found) return found.value
    if (found.absent && fallback !== undefined) return fallback
    problems.push(found.problem)
    return ''
  })
  return { text: replaced, problems }
}

/** The text to insert, or why there is none; a default replaces what is absent, but not what is wrong. */
type Found = { readonly value: string } | { readonly problem: string; readonly absent: boolean }

function fromVariable(name: string, environment: Environment): Found {
  if (!NAME.test(name)) {
    const expected = 'expected "${NAME}", "${NAME:-default}" or "${file:PATH}"'
    return { problem: `"\${${name}}" names no environment variable: ${expected}`, absent: false }
  }
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  if (value !== undefined && value !== '') return { value }
  return { problem: `environment variable ${name} is not set: ${adviceFor(name)}`, absent: true }
}

function fromFile(path: string, read: ReadFile): Found {
  if (path === '')
    return { problem: '"${file:}" names no file: expected one such as "${file:/run/secrets/jwt}"', absent: false }
  try {
    const value = read(path).replace(/\r?\n$/, '')
    return value === '' ? { problem: `file ${path}: is empty`, absent: true } : { value }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { problem: `file ${path}: ${error.message}`, absent: error.missing }
  }
}

/** A secret that is written in the file is no longer secret, so no default is advised for one. */
function adviceFor(name: string): string {
  return SECRET.test(name) ? 'set it' : `set it, or write "\${${name}:-default}"`
}

/** Whether the text is exactly one substitution, so that it may stand for a number, true or false. */
export function isWholeSubstitution(text: string): boolean {
  return WHOLE.test(text)
}

function splitOnce(text: string, separator: string): [before: string, after?: string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}
