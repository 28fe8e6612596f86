import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { Representation } from './representation.ts'

/** Files of the package that the page needs, and nothing else of it is served. */
const PACKAGE_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'] as const

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  png: 'image/png',
}

/** Starts Swagger UI: no script stands in the page itself. Tokens are gone with the page. */
const initializer = (openapi: string): string => `window.addEventListener('DOMContentLoaded', () => {
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

const STYLE = `body { margin: 0; background: #fff; }
noscript, noscript p { display: block; margin: 2rem; font-family: sans-serif; }
`

/** Everything is of this origin; styles that scripts set need no leave, and icons are in the style sheet as data. */
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
  /** What it loads, by names that change with the content. */
  readonly files: ReadonlyMap<string, Representation>
}

/**
 * Reads what the page at a path is made of, which shows the document at another; links are relative. Throws an Error
 * where a file is not there.
 */
export function loadDocsPage(title: string, path: string, openapi: string): DocsPage {
  const document = posix.relative(posix.dirname(path), openapi)
  const folder = import.meta.resolve('@fastify/swagger-ui/static/swagger-ui-bundle.js')
  const contents = new Map<string, Buffer>([
    ...PACKAGE_FILES.map((name) => [name, readFileSync(new URL(name, folder))] as const),
    ['page.js', Buffer.from(initializer(document))],
    ['page.css', Buffer.from(STYLE)],
  ])
  const names = new Map([...contents].map(([name, content]) => [name, versioned(name, content)]))
  const files = new Map([...contents].map(([name, content]) => [names.get(name)!, fileOf(name, content)]))
  const html = new Representation(
    Buffer.from(htmlOf(title, document, (name) => `${posix.basename(path)}/${names.get(name)}`)),
    [['Content-Type', 'text/html; charset=utf-8'], ['Cache-Control', 'no-cache'], ...SECURITY_FIELDS],
  )
  return { html, files }
}

/** "page.js" with a digest of the content before its extension. */
function versioned(name: string, content: Buffer): string {
  const dot = name.lastIndexOf('.')
  return `${name.slice(0, dot)}.${hash('sha256', content).slice(0, 12)}${name.slice(dot)}`
}

function fileOf(name: string, content: Buffer): Representation {
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]!
  return new Representation(content, [
    ['Content-Type', type],
    ['Cache-Control', 'public, max-age=31536000, immutable'],
    ...SECURITY_FIELDS,
  ])
}

function htmlOf(title: string, document: string, link: (name: string) => string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – documentation</title>
<link rel="icon" type="image/png" href="${link('favicon-32x32.png')}">
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

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
