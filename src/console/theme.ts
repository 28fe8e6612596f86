/** Light or dark: as the system has it, unless the reader has chosen. */

const CHOSEN = 'sallyport-theme'

export type Theme = 'system' | 'light' | 'dark'

/** What was chosen. */
export function chosenTheme(): Theme {
  const chosen = localStorage.getItem(CHOSEN)
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

/** Chooses, from now on and for the next time. */
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(CHOSEN)
  else localStorage.setItem(CHOSEN, theme)
  applyTheme()
}

/** Has the page look as was chosen. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = chosenTheme()
}
