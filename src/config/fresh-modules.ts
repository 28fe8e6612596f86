import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { codeOf, isOwnCode } from './code-digest.ts'

/** Parameter of URLs with a digest of the code: a module is loaded once for each URL. */
const PARAMETER = 'code'
/** Specifiers of files, in code that is loaded here. */
const FILE = /^(?:\.{0,2}\/|file:)/

const require = createRequire(import.meta.url)

let registered = false
let count = 0
/** Files that fresh code has imported, with digests of what they were loaded from. */
const imported = new Map<string, string>()

/** Modules that were loaded in this thread from code outside of the gateway and of packages: each stays to the thread's end. */
export function modulesLoaded(): number {
  return count
}

/**
 * The URL by which a file of code is loaded anew if it, or what it imports by relative paths, is another one than before;
 * what has not changed stays loaded as it is, with its variables. The code of packages is loaded once.
 */
export function freshUrl(file: string): URL {
  register()
  const { digest, files } = codeOf(file)
  forgetOld(files)
  return withCode(pathToFileURL(file), digest)
}

/** CommonJS modules are kept by their files, not by URLs. */
function forgetOld(files: readonly string[]): void {
  const { cache } = require
  const old = files.filter((file) => file in cache && imported.has(file) && imported.get(file) !== codeOf(file).digest)
  for (const file of old) Reflect.deleteProperty(cache, file)
  // At once: an import would take what they require for the beginning of a circle, as Node keeps where that was found.
  for (const file of old) tryRequire(file)
}

/** What fails, fails again where it is imported. */
function tryRequire(file: string): void {
  try {
    imported.set(file, codeOf(file).digest)
    require(file)
  } catch {
    // Told by the import.
  }
}

function withCode(url: URL, digest: string): URL {
  url.searchParams.set(PARAMETER, digest.slice(0, 16))
  return url
}

/** Of a CommonJS module the parameter is not told. */
function isFresh(url: string | undefined): boolean {
  if (url === undefined || !url.startsWith('file:')) return false
  return new URL(url).searchParams.has(PARAMETER) || imported.has(fileURLToPath(url))
}

/** What is imported by a path in fresh code is fresh too. */
function register(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const { parentURL } = context
      if (!isFresh(parentURL) || !FILE.test(specifier) || !resolved.url.startsWith('file:')) return resolved
      const file = fileURLToPath(resolved.url)
      if (isOwnCode(file)) return resolved
      const { digest } = codeOf(file)
      imported.set(file, digest)
      return { ...resolved, url: withCode(new URL(resolved.url), digest).href }
    },
    load(url, context, next) {
      if (isFresh(url)) count += 1
      return next(url, context)
    },
  })
}
