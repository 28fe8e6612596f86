import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { codeOf, isOwnCode, specifiersOf } from './code-digest.ts'

/** The largest amount of code, in characters, that is kept for other threads; beyond that, they read the files. */
const MAX_SIZE = 16 * 1024 ** 2
/** Extensions that Node always treats as text. */
const CODE = /\.(?:[cm]?[jt]s|json)$/
/** URL parameter that holds a digest of the code: Node loads a module once per URL. */
const PARAMETER = 'code'

/** A module as it was loaded. */
export interface ModuleText {
  /** The module format that Node assigned. */
  readonly format: string
  readonly source: string
}

/** A file that the configuration names, as it was loaded. */
export interface EntryPoint {
  readonly url: string
  /** Digest of everything it consists of. */
  readonly digest: string
}

/**
 * The user's own code as it was loaded, so that other threads load the same version whatever the files contain by then. URLs include a
 * digest of the contents, so a URL means the same in every thread and every configuration.
 */
export interface LoadedCode {
  /** By the files that the configuration names. */
  readonly entries: ReadonlyMap<string, EntryPoint>
  /** Resolved URLs of imports, by `linkOf`. */
  readonly links: ReadonlyMap<string, string>
  /** Modules by their URLs. */
  readonly modules: ReadonlyMap<string, ModuleText>
}

/** For threads that load the files in their current state. */
export const NO_CODE: LoadedCode = { entries: new Map(), links: new Map(), modules: new Map() }

/** Collects what is learned about modules. */
export class KnownCode {
  readonly links = new Map<string, string>()
  readonly modules = new Map<string, ModuleText>()

  learn({ links, modules }: Pick<LoadedCode, 'links' | 'modules'>): void {
    for (const [link, url] of links) this.links.set(link, url)
    // A text that is already there is identical.
    for (const [url, module] of modules) if (!this.modules.has(url)) this.modules.set(url, module)
  }
}

/** The key of an import: its target depends on the URL of the importing module, or null if the gateway itself imports. */
export function linkOf(parent: string | null, specifier: string): string {
  return `${parent ?? ''} ${specifier}`
}

/** The URL with a digest of the contents. */
export function withCode(url: URL, digest: string): URL {
  url.searchParams.set(PARAMETER, digest.slice(0, 16))
  return url
}

/** The digest in a URL; null if it has none. */
export function codeIn(url: string): string | null {
  return new URL(url).searchParams.get(PARAMETER)
}

/**
 * The loaded contents of these files with everything they import by path, including what has not been imported yet if the path is written
 * literally in the code. Null if that is too much to keep.
 */
export function collectCode(files: readonly string[], { links, modules }: KnownCode): LoadedCode | null {
  const importsOf = Map.groupBy(links, ([link]) => link.slice(0, link.indexOf(' ')))
  const entries = new Map<string, EntryPoint>()
  const found = new KnownCode()
  const waiting: { readonly url: string; readonly importer: string }[] = []
  const follow = (link: string, url: string | null, importer: string): void => {
    if (url === null || found.links.has(link)) return
    found.links.set(link, url)
    waiting.push({ url, importer })
  }
  for (const file of files) {
    const { digest } = codeOf(file)
    const { href: url } = withCode(pathToFileURL(file), digest)
    entries.set(file, { url, digest })
    follow(linkOf(null, url), links.get(linkOf(null, url)) ?? null, '')
  }
  let characters = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { url, importer } = next
    if (found.modules.has(url)) continue
    const module = modules.get(url) ?? textOf(fileURLToPath(url), importer)
    if (module === null) continue
    characters += module.source.length
    if (characters > MAX_SIZE) return null
    found.modules.set(url, module)
    for (const [link, target] of importsOf.get(url) ?? []) follow(link, target, module.format)
    for (const specifier of specifiersOf(module.source))
      follow(linkOf(url, specifier), urlOf(meant(fileURLToPath(url), module, specifier)), module.format)
  }
  return { entries, links: found.links, modules: found.modules }
}

/**
 * The file that a path in a module resolves to; CommonJS allows extensions to be left out. Null if there is none, e.g. for a path in a
 * comment.
 */
function meant(file: string, { format }: ModuleText, specifier: string): string | null {
  if (!format.startsWith('commonjs')) return resolve(dirname(file), specifier)
  try {
    return createRequire(file).resolve(specifier)
  } catch {
    return null
  }
}

/** Null if there is no such file, and for the gateway's own files. */
function urlOf(file: string | null): string | null {
  if (file === null || isOwnCode(file) || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null
  return withCode(pathToFileURL(file), codeOf(file).digest).href
}

/** Null for modules that may not be text, such as WebAssembly: those are loaded from their files. */
function textOf(file: string, importer: string): ModuleText | null {
  if (!CODE.test(file)) return null
  return { format: formatOf(file, importer), source: readFileSync(file, 'utf8') }
}

/** The module format that Node assigns to a file; it depends on the package of the code that imports the file by path. */
export function formatOf(file: string, importer: string): string {
  const ending = extname(file)
  if (ending === '.json') return 'json'
  const kind = /^\.[cm]/.test(ending) ? (ending.startsWith('.c') ? 'commonjs' : 'module') : kindOf(importer)
  return ending.endsWith('ts') ? `${kind}-typescript` : kind
}

function kindOf(format: string): string {
  return format.startsWith('commonjs') ? 'commonjs' : 'module'
}
