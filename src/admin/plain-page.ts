import { hash } from 'node:crypto'
import { escapeHtml } from '../core/escape-html.ts'
import { PRODUCT_ICON } from '../core/product-icon.ts'

/** Colors of all plain pages, which follow the system's theme. */
const COLORS = ':root { color-scheme: light dark; background: Canvas; color: CanvasText }'

/** A page without scripts that needs no other file. */
export interface PlainPage {
  /** Its Content-Security-Policy: it loads nothing. */
  readonly policy: string
  /** The page as HTML. The title is escaped, the body is HTML already. */
  readonly write: (title: string, body: string) => string
}

/** A plain page with that style. */
export function plainPage(style: string): PlainPage {
  const whole = `\n${COLORS}${style}`
  const icon = `data:image/svg+xml,${encodeURIComponent(PRODUCT_ICON)}`
  return {
    policy: `default-src 'none'; style-src 'sha256-${hash('sha256', whole, 'base64')}'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    write: (title, body) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title><link rel="icon" type="image/svg+xml" href="${icon}"><style>${whole}</style></head>
<body>
${body}
</body>
</html>
`,
  }
}
