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

/** Specifiers of files in code that is loaded here. */
const FILE = /^(?:\.{0,2}\/|file:)/
/** Module formats that are text. */
const TEXT = /^(?:module|commonjs|json)/

const require = createRequire(import.meta.url)

let registered = false
let count = 0
/** Files that fresh code has imported, with the digests of the loaded contents, as they appear in URLs. */
const imported = new Map<string, string>()
/** Code that this thread has loaded from files. */
const seen = new KnownCode()
/** Code that other threads have loaded; it takes precedence over the files. */
const shared = new KnownCode()

/**
 * The number of modules that this thread has loaded from code outside the gateway and outside packages. Each of them stays in memory until
 * the thread ends.
 */
export function modulesLoaded(): number {
  return count
}

/**
 * The URL by which a code file is reloaded if it, or anything it imports by relative paths, has changed; an unchanged module stays loaded,
 * with its variables. The code of packages is loaded only once.
 */
export function freshUrl(file: string): URL {
  register()
  const { digest, files } = codeOf(file)
  const known = files.filter((each) => imported.has(each))
  forgetOld(known.map((each) => [each, codeIn(urlNow(each).href), each]))
  return withCode(pathToFileURL(file), digest)
}

/** Whether this thread has loaded the current version of a file, apart from what it imports. */
export function isImported(file: string): boolean {
  return imported.get(file) === codeIn(urlNow(file).href)
}

/** The code from which this thread has loaded these files. Null if it is too much to keep. */
export function loadedCode(files: readonly string[]): LoadedCode | null {
  return collectCode(files, seen)
}

/** From now on, code that is part of `code` is loaded in that version, whatever the files contain. */
export function goBy(code: LoadedCode): void {
  if (code.entries.size === 0) return
  register()
  shared.learn(code)
  forgetOld(Array.from(code.modules.keys(), (url) => [fileURLToPath(url), codeIn(url), url]))
}

/** `require` caches by file, not by URL: forgets the modules that have changed and loads them again by their specifiers. */
function forgetOld(now: readonly (readonly [file: string, code: string | null, specifier: string])[]): void {
  const { cache } = require
  const old = now.filter(([file, code]) => file in cache && imported.has(file) && imported.get(file) !== code)
  for (const [file] of old) Reflect.deleteProperty(cache, file)
  // Immediately: an import would take what they require for the start of a cycle, because Node remembers where it was found.
  for (const [file, code, specifier] of old) {
    if (code !== null) imported.set(file, code)
    tryRequire(specifier)
  }
}

/** A failure is repeated by the import. */
function tryRequire(specifier: string): void {
  try {
    require(specifier)
  } catch {
    // The import reports the error.
  }
}

function urlNow(file: string): URL {
  return withCode(pathToFileURL(file), codeOf(file).digest)
}

/**
 * The URL of a module that includes its code's digest, which Node does not pass on for a CommonJS module; null for a module that is not
 * fresh.
 */
function freshOf(url: string | undefined): string | null {
  if (url === undefined || !url.startsWith('file:')) return null
  if (codeIn(url) !== null) return url
  const code = imported.get(fileURLToPath(url))
  return code === undefined ? null : withCode(new URL(url), code).href
}

/** Modules that fresh code imports by path are fresh too. */
function register(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, next) {
      const parent = freshOf(context.parentURL)
      const link = linkOf(parent, specifier)
      const url = shared.modules.has(specifier) ? specifier : shared.links.get(link)
      const known = url === undefined ? undefined : shared.modules.get(url)
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
      const known = shared.modules.get(fresh)
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

/** Null for a module that is not text. */
function textOf(file: string, { format, source }: LoadFnOutput): ModuleText | null {
  // Node does not say which format it takes for CommonJS.
  const kind = format ?? formatOf(file, 'commonjs')
  if (!TEXT.test(kind)) return null
  if (typeof source === 'string') return { format: kind, source }
  return { format: kind, source: source ? new TextDecoder().decode(source) : readFileSync(file, 'utf8') }
}
