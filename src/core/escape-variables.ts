/** The text as it is written in a configuration so that it stands for itself: no dollar sign in it begins a variable or escapes another. */
export function escapeVariables(text: string): string {
  return text.replaceAll(/\$(?=[${])/g, '$$$$')
}
