/** Light or dark: follows the system unless the user has chosen. */

const CHOSEN = 'sallyport-theme'

export type Theme = 'system' | 'light' | 'dark'

/** The user's choice. */
export function chosenTheme(): Theme {
  const chosen = localStorage.getItem(CHOSEN)
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

/** Chooses a theme, for this page and for later visits. */
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(CHOSEN)
  else localStorage.setItem(CHOSEN, theme)
  applyTheme()
}

/** Applies the chosen theme to the page. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = chosenTheme()
}
