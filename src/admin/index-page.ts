import { z } from 'zod'
import { escapeHtml } from '../core/escape-html.ts'
import { type OperatorRole, operatorRoles } from '../core/operator-role.ts'
import { version } from '../core/version.ts'
import type { AdminApp } from './app.ts'
import { neededRole } from './login/caller.ts'
import { plainPage } from './plain-page.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the list of endpoints does not link it, as it is nothing to open in a browser. */
    readonly isUnlinked?: boolean
  }
}

/** One listed endpoint. */
interface ListedEndpoint {
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly role: OperatorRole
}

const PAGE = plainPage(`
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td { padding: .4rem .8rem .4rem 0; border-top: 1px solid #8884; vertical-align: top }
code { white-space: nowrap }
@media (max-width: 40rem) {
  td { display: block; padding-right: 0 }
  td + td { border-top: 0; padding-top: 0 }
  code { white-space: normal; overflow-wrap: anywhere }
}
`)

export const document = z.object({
  name: z.string(),
  version: z.string(),
  endpoints: z
    .object({
      method: z.string(),
      path: z.string(),
      summary: z.string(),
      role: z.enum(operatorRoles).describe('The minimum role for it.'),
    })
    .array(),
})

const page = z.string().describe('The same as a page for browsers.')

/** GET /: the list of endpoints, as a page for browsers and as JSON for other clients. Call it before the endpoints are registered. */
export function indexPage(app: AdminApp): void {
  const endpoints: ListedEndpoint[] = []
  const linked = new Set<ListedEndpoint>()
  app.addHook('onRoute', ({ method, path, schema, config }) => {
    if (schema?.summary === undefined || schema.hide === true || method === 'HEAD') return
    const shown = path.replace(/:(\w+)/g, '{$1}')
    const role = neededRole(String(method), config)
    const endpoint = { method: String(method), path: shown, summary: schema.summary, role }
    endpoints.push(endpoint)
    if (method === 'GET' && shown === path && config?.isUnlinked !== true) linked.add(endpoint)
  })
  app.get(
    '/',
    { schema: { summary: 'List the endpoints', tags: ['gateway'], response: { 200: z.union([document, page]) } } },
    ({ headers }, reply) => {
      void reply.header('Vary', 'Accept')
      if (!headers.accept?.includes('text/html')) return { name: 'sallyport', version, endpoints }
      void reply.type('text/html; charset=utf-8').header('Content-Security-Policy', PAGE.policy)
      return pageOf(endpoints, linked)
    },
  )
}

function pageOf(endpoints: readonly ListedEndpoint[], linked: ReadonlySet<ListedEndpoint>): string {
  const rows = endpoints.map((endpoint) => {
    const { method, path, summary } = endpoint
    const shown = `<code>${method} ${escapeHtml(path)}</code>`
    const name = linked.has(endpoint) ? `<a href="${escapeHtml(path)}">${shown}</a>` : shown
    return `<tr><td>${name}</td><td>${escapeHtml(summary)}</td></tr>`
  })
  return PAGE.write(
    'Sallyport',
    `<h1>Sallyport ${escapeHtml(version)}</h1>
<p>The <a href="/console/">console</a> shows all of this. These are the endpoints of the admin API; <a href="/docs">try them out</a>.</p>
<table>
${rows.join('\n')}
</table>`,
  )
}
