import { FileError } from '../core/read-text.ts'

/** Variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Reads what a file holds. Throws FileError. */
export type ReadFile = (path: string) => string

/** What became of a text: its value, or what is wrong with it; never with a variable's value in the words. */
export type Substitution = { readonly text: string; readonly problems: readonly string[] }

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const FILE = 'file:'
/** "$$", a whole substitution, or the beginning of one that is not closed. */
const PARTS = /\$\$|\$\{([^}]*)\}|\$\{/g
/** Names of variables that hold what nobody is to read. */
const SECRET =
  /SECRET|TOKEN|PASS(?:WORD|WD|PHRASE)?(?:_|$)|CREDENTIAL|(?:^|_)(?:KEY|PWD|PW|AUTH|SALT)(?:_|$)|PRIVATE|APIKEY/i
const WHOLE = /^\$\{[^}]*\}$/

/**
 * Replaces `${NAME}` and `${NAME:-default}` by the variable's value, `${file:PATH}` and `${file:PATH:-default}` by what the file
 * holds, without a line break at its end, and `$$` by a dollar; what is put in is not looked at again. An empty variable or file
 * counts as one that is not there. The default ends at the first "}".
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
      problems.push(`${what} holds another "\${": expected plain text up to the "}"`)
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

/** What is put in, or why there is nothing; a default stands in for what is absent, and for nothing that is wrong. */
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
