/** The first variable of nginx in a text, such as "$remote_addr"; undefined if there is none. */
export function nginxVariable(text: string): string | undefined {
  return /\$(?:[a-z]+_[a-z_]+|host|scheme|uri)\b/.exec(text)?.[0]
}
