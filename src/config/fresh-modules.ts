import { readFileSync } from 'node:fs'
import { createRequire, type LoadFnOutput, registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { codeOf, isOwnCode } from './code-digest.ts'
import {
  codeIn,
  collectCode,
  formatOf,
  KnownCode,
  linkOf,
  type LoadedCode,
  type ModuleText,
  withCode,
} from './loaded-code.ts'

/** Specifiers of files, in code that is loaded here. */
const FILE = /^(?:\.{0,2}\/|file:)/
/** Formats of text. */
const TEXT = /^(?:module|commonjs|json)/

const require = createRequire(import.meta.url)

let registered = false
let count = 0
/** Files that fresh code has imported, with digests of what they were loaded from, as they are in URLs. */
const imported = new Map<string, string>()
/** What was loaded here from files. */
const seen = new KnownCode()
/** What other threads have loaded, which goes before the files. */
const given = new KnownCode()

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
  const known = files.filter((each) => imported.has(each))
  forgetOld(known.map((each) => [each, codeIn(urlNow(each).href), each]))
  return withCode(pathToFileURL(file), digest)
}

/** What these files were loaded from in this thread. Null where that is too much to keep. */
export function loadedCode(files: readonly string[]): LoadedCode | null {
  return collectCode(files, seen)
}

/** From now on what is known of that code is loaded as it was, whatever the files hold. */
export function goBy(code: LoadedCode): void {
  if (code.entries.size === 0) return
  register()
  given.learn(code)
  forgetOld(Array.from(code.modules.keys(), (url) => [fileURLToPath(url), codeIn(url), url]))
}

/** What is required is kept by its file, not by its URL: what of it is another one now is loaded anew, by its specifier. */
function forgetOld(now: readonly (readonly [file: string, code: string | null, specifier: string])[]): void {
  const { cache } = require
  const old = now.filter(([file, code]) => file in cache && imported.has(file) && imported.get(file) !== code)
  for (const [file] of old) Reflect.deleteProperty(cache, file)
  // At once: an import would take what they require for the beginning of a circle, as Node keeps where that was found.
  for (const [file, code, specifier] of old) {
    if (code !== null) imported.set(file, code)
    tryRequire(specifier)
  }
}

/** What fails, fails again where it is imported. */
function tryRequire(specifier: string): void {
  try {
    require(specifier)
  } catch {
    // Told by the import.
  }
}

function urlNow(file: string): URL {
  return withCode(pathToFileURL(file), codeOf(file).digest)
}

/** The URL of a module with its code, which is not told of a CommonJS module; null for one that is not fresh. */
function freshOf(url: string | undefined): string | null {
  if (url === undefined || !url.startsWith('file:')) return null
  if (codeIn(url) !== null) return url
  const code = imported.get(fileURLToPath(url))
  return code === undefined ? null : withCode(new URL(url), code).href
}

/** What is imported by a path in fresh code is fresh too. */
function register(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, next) {
      const parent = freshOf(context.parentURL)
      const link = linkOf(parent, specifier)
      const url = given.modules.has(specifier) ? specifier : given.links.get(link)
      const known = url === undefined ? undefined : given.modules.get(url)
      if (url !== undefined && known !== undefined) return { url: note(url), format: known.format, shortCircuit: true }
      const resolved = next(specifier, context)
      const isEntry = parent === null && specifier.startsWith('file:') && codeIn(specifier) !== null
      if (isEntry) seen.links.set(link, note(resolved.url))
      if (parent === null || !FILE.test(specifier) || !resolved.url.startsWith('file:')) return resolved
      const file = fileURLToPath(resolved.url)
      if (isOwnCode(file)) return resolved
      const fresh = note(urlNow(file).href)
      seen.links.set(link, fresh)
      return { ...resolved, url: fresh }
    },
    load(url, context, next) {
      const fresh = freshOf(url)
      if (fresh === null) return next(url, context)
      count += 1
      const known = given.modules.get(fresh)
      if (known !== undefined) return { ...known, shortCircuit: true }
      const loaded = next(url, context)
      const text = textOf(fileURLToPath(url), loaded)
      if (text !== null) seen.modules.set(fresh, text)
      return loaded
    },
  })
}

function note(url: string): string {
  const code = codeIn(url)
  if (code !== null) imported.set(fileURLToPath(url), code)
  return url
}

/** Null for what is no text. */
function textOf(file: string, { format, source }: LoadFnOutput): ModuleText | null {
  // Node does not say what it takes for CommonJS.
  const kind = format ?? formatOf(file, 'commonjs')
  if (!TEXT.test(kind)) return null
  if (typeof source === 'string') return { format: kind, source }
  return { format: kind, source: source ? new TextDecoder().decode(source) : readFileSync(file, 'utf8') }
}
