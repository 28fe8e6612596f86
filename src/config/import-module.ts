import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { codeOf as errorCodeOf, messageOf } from '../core/error-facts.ts'
import { codeOf } from './code-digest.ts'
import { freshUrl } from './fresh-modules.ts'
import type { EntryPoint } from './loaded-code.ts'
import { resolveOwnName } from './own-name.ts'
import { placeInCode } from './place-in-code.ts'
import { fieldOf } from '../core/value.ts'

/** The default export of the current version of a code file, or undefined if it has none. Rejects if the file cannot be loaded. */
export async function importDefault(file: string): Promise<unknown> {
  return fieldOf(await importModule(file), 'default')
}

/** The exports of the current version of a code file. Rejects if the file cannot be loaded. */
export async function importModule(file: string): Promise<unknown> {
  resolveOwnName()
  await stat(file).catch((error: unknown) => {
    const isMissing = errorCodeOf(error) === 'ENOENT'
    throw new Error(isMissing ? `there is no file ${resolve(file)}` : messageOf(error), { cause: error })
  })
  return settled(import(freshUrl(resolve(file)).href)).catch((error: unknown) => {
    throw new Error(reasonOf(error, resolve(file)), { cause: error })
  })
}

/** The exports of a code file in the version that another thread has loaded and passed on. Rejects if loading fails here. */
export async function importEntry({ url }: EntryPoint): Promise<unknown> {
  resolveOwnName()
  return import(url)
}

/** Rejects once nothing is left that could settle the promise: the thread would then end, without a word. */
async function settled<Value>(promise: Promise<Value>): Promise<Value> {
  const stuck = Promise.withResolvers<never>()
  const giveUp = () =>
    stuck.reject(new Error('it never finishes loading: nothing ends an await outside of its functions'))
  process.once('beforeExit', giveUp)
  try {
    return await Promise.race([promise, stuck.promise])
  } finally {
    process.off('beforeExit', giveUp)
  }
}

/** What went wrong in a file or its imports, where, and what to do about it. */
function reasonOf(error: unknown, file: string): string {
  const message = messageOf(error)
  const place = placeInCode(error, codeOf(file).files)
  return `${place === null ? message : `${message} (${place})`}${adviceFor(error, message)}`
}

function adviceFor(error: unknown, message: string): string {
  // A package is CommonJS unless it says otherwise, and the one that `npm init` creates does not.
  if (error instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(message))
    return ': add "type": "module" to package.json, or let the name of the file end in .mts or .mjs'
  if (errorCodeOf(error) === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return ': write it in JavaScript, because Node.js only removes types'
  const missing = /^Cannot find module '([^']+)'/.exec(message)?.[1]
  const meant = missing === undefined ? undefined : [`${missing}.ts`, missing.replace(/js$/, 'ts')].find(existsSync)
  return meant === undefined ? '' : `: import it with the name of its file, ${basename(meant)}`
}
