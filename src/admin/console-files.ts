import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { PRODUCT_ICON } from '../core/product-icon.ts'

/** One file as sent to browsers. */
export interface ConsoleFile {
  readonly content: Buffer
  readonly type: string
  readonly etag: string
}

/** The files of the console. */
export interface ConsoleFiles {
  readonly page: ConsoleFile
  /** By name relative to the console's path. */
  readonly files: ReadonlyMap<string, ConsoleFile>
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Import names of libraries, and the file names under which browsers get them. */
const LIBRARIES: ReadonlyMap<string, string> = new Map([
  ['preact', 'lib/preact.js'],
  ['preact/hooks', 'lib/preact-hooks.js'],
])

const FOLDER = new URL('../console/', import.meta.url)

/** Reads the console's files at `home`: the build, or in a checkout the sources with their types stripped. */
export function loadConsole(home: string): ConsoleFiles {
  const isSource = import.meta.url.endsWith('.ts')
  const own = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(?:js|ts|css)$/.test(name) && !name.endsWith('.d.ts') && (isSource || !name.endsWith('.ts')))
  const files = new Map<string, ConsoleFile>()
  for (const name of own) {
    const text = readFileSync(new URL(name, FOLDER), 'utf8')
    const script = name.endsWith('.ts') ? withoutTypes(text) : text
    const shown = name.replace(/\.ts$/, '.js')
    files.set(shown, fileOf(shown, shown.endsWith('.js') ? resolved(script, home) : script))
  }
  for (const [specifier, name] of LIBRARIES) {
    const text = readFileSync(new URL(import.meta.resolve(specifier)), 'utf8')
    files.set(name, fileOf(name, resolved(text.replace(/^\/\/# sourceMappingURL=.*$/m, ''), home)))
  }
  files.set('icon.svg', fileOf('icon.svg', PRODUCT_ICON))
  return { page: fileOf('page.html', pageOf(home, [...files.keys()])), files }
}

/** Node warns once that this is experimental, which an operator cannot do anything about. */
function withoutTypes(source: string): string {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Browsers do not resolve package names, and an import map would be an inline script. */
function resolved(script: string, home: string): string {
  return script
    .replace(
      /(\bfrom\s*|\bimport\s*)(["'])(preact(?:\/hooks)?)\2/g,
      (_, before: string, quote: string, name: string) => `${before}${quote}${home}${LIBRARIES.get(name)}${quote}`,
    )
    .replace(/(\bfrom\s*|\bimport\s*)(["'])(\.{1,2}\/[^"']+)\.ts\2/g, '$1$2$3.js$2')
}

function fileOf(name: string, text: string): ConsoleFile {
  const content = Buffer.from(text)
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/html; charset=utf-8'
  return { content, type, etag: `"${hash('sha256', content).slice(0, 32)}"` }
}

function pageOf(home: string, names: readonly string[]): string {
  const preloads = names
    .filter((name) => name.endsWith('.js'))
    .map((name) => `<link rel="modulepreload" href="${home}${name}">`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sallyport</title>
<link rel="icon" type="image/svg+xml" href="${home}icon.svg">
<link rel="stylesheet" href="${home}console.css">
<script type="module" src="${home}first.js" blocking="render"></script>
${preloads.join('\n')}
<script type="module" src="${home}main.js"></script>
</head>
<body>
<div id="app"></div>
<noscript>The console needs JavaScript. The admin API has the same information as JSON: see /docs/.</noscript>
</body>
</html>
`
}
