import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { escapeHtml } from '../core/escape-html.ts'
import { FOLLOW_SYSTEM_THEME, PRODUCT_ICON } from '../core/product-icon.ts'
import { Representation } from './representation.ts'

/** Files of the package that the page needs; no others are served. */
const PACKAGE_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'] as const

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** Starts Swagger UI: the page itself contains no script. Tokens are not kept after the page is closed. */
const initializer = (openapi: string): string => `${FOLLOW_SYSTEM_THEME}
window.addEventListener('DOMContentLoaded', () => {
  SwaggerUIBundle({
    url: ${JSON.stringify(openapi)},
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    deepLinking: true,
    displayRequestDuration: true,
    filter: true,
    persistAuthorization: false,
    validatorUrl: null,
  })
})
`

/** The document has no links, and their empty column would not fit on narrow screens. */
const STYLE = `body { margin: 0; background: #fff; }
.swagger-ui .response-col_links { display: none; }
.dark-mode body { background: #1c2022; }
noscript, noscript p { display: block; margin: 2rem; font-family: sans-serif; }
`

/** Everything is loaded from this origin; styles set by scripts need no permission, and icons are data URLs in the style sheet. */
const SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const SECURITY_FIELDS = [
  ['Content-Security-Policy', SECURITY_POLICY],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
] as const

/** The page that shows the documentation. */
export interface DocsPage {
  readonly html: Representation
  /** The files it loads, by names that change with the content. */
  readonly files: ReadonlyMap<string, Representation>
}

/** Loads the page for a path, showing the document at another; links are relative. Throws an Error if a file is missing. */
export function loadDocsPage(title: string, path: string, openapi: string): DocsPage {
  const document = posix.relative(posix.dirname(path), openapi)
  const files = [
    ...packageFiles(),
    fileOf('page.js', Buffer.from(initializer(document))),
    fileOf('page.css', Buffer.from(STYLE)),
    fileOf('icon.svg', Buffer.from(PRODUCT_ICON)),
  ]
  const links = new Map(files.map(({ name, link }) => [name, link]))
  const html = new Representation(
    Buffer.from(htmlOf(title, document, (name) => `${posix.basename(path)}/${links.get(name)}`)),
    [['Content-Type', 'text/html; charset=utf-8'], ['Cache-Control', 'no-cache'], ...SECURITY_FIELDS],
  )
  return { html, files: new Map(files.map(({ link, content }) => [link, content])) }
}

/** A file that the page loads. */
interface PageFile {
  readonly name: string
  /** Its name, with a digest of the content before the extension. */
  readonly link: string
  readonly content: Representation
}

/** Shared by all pages: reading and digesting the files takes about 10 ms. */
let packaged: readonly PageFile[] | null = null

function packageFiles(): readonly PageFile[] {
  if (packaged !== null) return packaged
  const folder = import.meta.resolve('@fastify/swagger-ui/static/swagger-ui-bundle.js')
  packaged = PACKAGE_FILES.map((name) => fileOf(name, readFileSync(new URL(name, folder))))
  return packaged
}

function fileOf(name: string, content: Buffer): PageFile {
  const dot = name.lastIndexOf('.')
  const digest = hash('sha256', content).slice(0, 12)
  const representation = new Representation(content, [
    ['Content-Type', TYPES[name.slice(dot + 1)] ?? 'application/octet-stream'],
    ['Cache-Control', 'public, max-age=31536000, immutable'],
    ...SECURITY_FIELDS,
  ])
  return { name, link: `${name.slice(0, dot)}.${digest}${name.slice(dot)}`, content: representation }
}

function htmlOf(title: string, document: string, link: (name: string) => string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – documentation</title>
<link rel="icon" type="image/svg+xml" href="${link('icon.svg')}">
<link rel="stylesheet" href="${link('swagger-ui.css')}">
<link rel="stylesheet" href="${link('page.css')}">
<script src="${link('swagger-ui-bundle.js')}" defer></script>
<script src="${link('page.js')}" defer></script>
</head>
<body>
<main id="swagger-ui"></main>
<noscript><p>This page needs JavaScript. What it shows is at <a href="${escapeHtml(document)}">${escapeHtml(document)}</a>.</p></noscript>
</body>
</html>
`
}
