import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { freshUrl } from './fresh-modules.ts'
import type { EntryPoint } from './loaded-code.ts'
import { resolveOwnName } from './own-name.ts'
import { fieldOf } from '../core/value.ts'

/** The default export of a file of code as it is now, or undefined where it has none. Rejects where it cannot be loaded. */
export async function importDefault(file: string): Promise<unknown> {
  resolveOwnName()
  // Says what is missing by the name of the file alone.
  await stat(file)
  const module: unknown = await import(freshUrl(resolve(file)).href).catch(adviseOnModules)
  return fieldOf(module, 'default')
}

/** The default export of a file of code as another thread has loaded it, which has said so. Rejects where that fails here. */
export async function importEntry({ url }: EntryPoint): Promise<unknown> {
  resolveOwnName()
  const module: unknown = await import(url)
  return fieldOf(module, 'default')
}

/** A package is CommonJS unless it says otherwise, as that of `npm init` does not. */
function adviseOnModules(error: unknown): never {
  if (error instanceof SyntaxError && /outside a module|Unexpected token 'export'/.test(error.message))
    throw new Error(
      `${error.message}: write "type": "module" into package.json, or have the name of the file end in .mts or .mjs`,
      { cause: error },
    )
  throw error
}
