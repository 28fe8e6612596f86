import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { freshUrl } from './fresh-modules.ts'
import type { EntryPoint } from './loaded-code.ts'
import { resolveOwnName } from './own-name.ts'
import { fieldOf } from '../core/value.ts'

/** The default export of the current version of a code file, or undefined if it has none. Rejects if the file cannot be loaded. */
export async function importDefault(file: string): Promise<unknown> {
  return fieldOf(await importModule(file), 'default')
}

/** The exports of the current version of a code file. Rejects if the file cannot be loaded. */
export async function importModule(file: string): Promise<unknown> {
  resolveOwnName()
  // Gives an error that names the file alone if it is missing.
  await stat(file)
  return import(freshUrl(resolve(file)).href).catch(adviseOnModules)
}

/** The exports of a code file in the version that another thread has loaded and passed on. Rejects if loading fails here. */
export async function importEntry({ url }: EntryPoint): Promise<unknown> {
  resolveOwnName()
  return import(url)
}

/** A package is CommonJS unless it says otherwise, and the one that `npm init` creates does not. */
function adviseOnModules(error: unknown): never {
  if (error instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(error.message))
    throw new Error(
      `${error.message}: add "type": "module" to package.json, or let the name of the file end in .mts or .mjs`,
      { cause: error },
    )
  throw error
}
