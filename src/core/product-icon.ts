/** The product's icon, a gate in a wall, as SVG; used on every page the gateway serves. */
export const PRODUCT_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">
<rect width="32" height="32" rx="7" fill="#0f766e"/>
<path d="M6 26V9h3v3h3V9h3v3h2V9h3v3h3V9h3v17h-6v-5a4 4 0 0 0-8 0v5z" fill="#fff"/>
</svg>
`

/** A script that makes a Swagger UI page follow the system's dark mode; to be loaded as a file. */
export const FOLLOW_SYSTEM_THEME = `const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
`
