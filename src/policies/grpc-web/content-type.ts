/** How the messages of a call are encoded: binary, or base64 for clients that can only read text. */
export interface WebForm {
  readonly isText: boolean
  /** The message format, such as "+proto", or "". */
  readonly suffix: string
}

/** gRPC-Web, "Content-Type". */
const CONTENT_TYPE = /^application\/grpc-web(?<text>-text)?(?<suffix>\+[\w.-]+)?\s*(?:;|$)/i
const ACCEPTED = /(?:^|[,\s])application\/grpc-web(?<text>-text)?(?=[+;,\s]|$)/i
const GRPC = /^application\/grpc(?<suffix>\+[\w.-]+)?\s*(?:;|$)/i

/** The form given by the Content-Type of a grpc-web call; null if it is not one. */
export function webForm(contentType: string | undefined): WebForm | null {
  const groups = contentType === undefined ? undefined : CONTENT_TYPE.exec(contentType)?.groups
  if (groups === undefined) return null
  return { isText: groups['text'] !== undefined, suffix: groups['suffix'] ?? '' }
}

/** Whether the reply is to be base64: determined by the first grpc-web type in Accept, otherwise by the request. */
export function wantsText(accept: string | undefined, { isText }: WebForm): boolean {
  const groups = accept === undefined ? undefined : ACCEPTED.exec(accept)?.groups
  return groups === undefined ? isText : groups['text'] !== undefined
}

/** Converts the Content-Type of a gRPC reply to grpc-web; null if it is not a gRPC type. */
export function webType(contentType: string | undefined, isText: boolean): string | null {
  const match = contentType === undefined ? null : GRPC.exec(contentType)
  if (match === null) return null
  return `application/grpc-web${isText ? '-text' : ''}${match.groups?.['suffix'] ?? '+proto'}`
}
