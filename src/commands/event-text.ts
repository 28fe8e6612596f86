/** A recorded decision in a few words: "sallyport.auth.outcome": "accepted" becomes "accepted", any other one its name and value. */
export function eventWords(name: string, attributes: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => {
      const short = key.startsWith(`${name}.`) ? key.slice(name.length + 1) : key.replace(/^sallyport\./, '')
      return short === 'outcome' || short === 'status' ? String(value) : `${short.replaceAll('_', ' ')} ${value}`
    })
    .join(', ')
}
