/** Converts the text to a component name (OpenAPI 3.1.1 section 4.8.7.1). */
export function componentName(text: string): string {
  return text.replace(/[^\w.-]+/g, '_').slice(0, 100) || 'unnamed'
}

/** The name, followed by a number if it is already taken. */
export function firstFree(name: string, taken: { readonly has: (name: string) => boolean }): string {
  if (!taken.has(name)) return name
  let number = 2
  while (taken.has(`${name}${number}`)) number++
  return `${name}${number}`
}
