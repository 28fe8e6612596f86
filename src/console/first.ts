import { applyTheme } from './theme.ts'

// Before anything is rendered.
applyTheme()
