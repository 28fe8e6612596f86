import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { codeOf, isOwnCode, specifiersOf } from './code-digest.ts'

/** Characters of code that are kept for other threads: whoever has more of it goes by the files. */
const LARGEST = 16 * 1024 ** 2
/** Endings of what is text for Node, and nothing else. */
const CODE = /\.(?:[cm]?[jt]s|json)$/
/** Parameter of URLs with a digest of the code: a module is loaded once for each URL. */
const PARAMETER = 'code'

/** A module as it was loaded. */
export interface ModuleText {
  /** What Node takes it for. */
  readonly format: string
  readonly source: string
}

/** A file that the configuration names, as it was loaded. */
export interface EntryPoint {
  readonly url: string
  /** Of all that it consists of. */
  readonly digest: string
}

/**
 * Code of the user's own as it was loaded, for threads that are to load the same, whatever the files hold by then. A URL has a
 * digest of what is behind it, so it means the same in every thread and every configuration.
 */
export interface LoadedCode {
  /** By the files that the configuration names. */
  readonly entries: ReadonlyMap<string, EntryPoint>
  /** What an import led to, by `linkOf`. */
  readonly links: ReadonlyMap<string, string>
  /** By their URLs. */
  readonly modules: ReadonlyMap<string, ModuleText>
}

/** Where no code is kept, files are loaded as they are. */
export const NO_CODE: LoadedCode = { entries: new Map(), links: new Map(), modules: new Map() }

/** What is known of modules, as it is learned. */
export class KnownCode {
  readonly links = new Map<string, string>()
  readonly modules = new Map<string, ModuleText>()

  learn({ links, modules }: Pick<LoadedCode, 'links' | 'modules'>): void {
    for (const [link, url] of links) this.links.set(link, url)
    // The text that is there already is the same.
    for (const [url, module] of modules) if (!this.modules.has(url)) this.modules.set(url, module)
  }
}

/** Names an import: what it leads to depends on the module that it stands in, by its URL, or null where the gateway imports. */
export function linkOf(parent: string | null, specifier: string): string {
  return `${parent ?? ''} ${specifier}`
}

/** The URL with a digest of what is behind it. */
export function withCode(url: URL, digest: string): URL {
  url.searchParams.set(PARAMETER, digest.slice(0, 16))
  return url
}

/** The digest that a URL has; null where it has none. */
export function codeIn(url: string): string | null {
  return new URL(url).searchParams.get(PARAMETER)
}

/**
 * What these files were loaded from, with all that they import by paths: also what they have not imported yet, where the path
 * stands in the code. Null where that is too much to keep.
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
    if (characters > LARGEST) return null
    found.modules.set(url, module)
    for (const [link, target] of importsOf.get(url) ?? []) follow(link, target, module.format)
    for (const specifier of specifiersOf(module.source))
      follow(linkOf(url, specifier), urlOf(meant(fileURLToPath(url), module, specifier)), module.format)
  }
  return { entries, links: found.links, modules: found.modules }
}

/** The file that a path in a module means; CommonJS leaves out endings. Null where there is none, as of a path in a comment. */
function meant(file: string, { format }: ModuleText, specifier: string): string | null {
  if (!format.startsWith('commonjs')) return resolve(dirname(file), specifier)
  try {
    return createRequire(file).resolve(specifier)
  } catch {
    return null
  }
}

/** Null for what is no file, and for the gateway's own. */
function urlOf(file: string | null): string | null {
  if (file === null || isOwnCode(file) || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null
  return withCode(pathToFileURL(file), codeOf(file).digest).href
}

/** Null for what may be no text, such as WebAssembly: that is loaded from its file. */
function textOf(file: string, importer: string): ModuleText | null {
  if (!CODE.test(file)) return null
  return { format: formatOf(file, importer), source: readFileSync(file, 'utf8') }
}

/** What Node takes a file for, which that package has whose code imports it by a path. */
export function formatOf(file: string, importer: string): string {
  const ending = extname(file)
  if (ending === '.json') return 'json'
  const kind = /^\.[cm]/.test(ending) ? (ending.startsWith('.c') ? 'commonjs' : 'module') : kindOf(importer)
  return ending.endsWith('ts') ? `${kind}-typescript` : kind
}

function kindOf(format: string): string {
  return format.startsWith('commonjs') ? 'commonjs' : 'module'
}
