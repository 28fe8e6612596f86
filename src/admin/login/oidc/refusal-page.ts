import { escapeHtml } from '../../../core/escape-html.ts'
import { plainPage } from '../../plain-page.ts'

const PAGE = plainPage(`
body { font: 16px/1.5 system-ui, sans-serif; max-width: 38rem; margin: 4rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem }
p, li { overflow-wrap: anywhere }
`)

/** The Content-Security-Policy of the page. */
export const REFUSAL_POLICY = PAGE.policy

/** The page for a user who returns from the provider and is refused. */
export interface RefusalPage {
  readonly title: string
  /** One paragraph each. */
  readonly paragraphs: readonly string[]
  /** Links that lead on. */
  readonly links: readonly (readonly [href: string, text: string])[]
}

/** The page as HTML; its texts are escaped. */
export function refusalPage({ title, paragraphs, links }: RefusalPage): string {
  return PAGE.write(
    `${title} · Sallyport`,
    `<main>
<h1>${escapeHtml(title)}</h1>
${paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')}
<ul>
${links.map(([href, text]) => `<li><a href="${escapeHtml(href)}">${escapeHtml(text)}</a></li>`).join('\n')}
</ul>
</main>`,
  )
}
