import { applyTheme } from './theme.ts'

// Before anything is shown.
applyTheme()
