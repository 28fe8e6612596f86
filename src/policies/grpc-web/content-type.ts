/** How the messages of a call are written: as octets, or as base64 for clients that can read text only. */
export interface WebForm {
  readonly isText: boolean
  /** What the messages are, such as "+proto", or "". */
  readonly suffix: string
}

/** gRPC-Web, "Content-Type". */
const CONTENT_TYPE = /^application\/grpc-web(?<text>-text)?(?<suffix>\+[\w.-]+)?\s*(?:;|$)/i
const ACCEPTED = /(?:^|[,\s])application\/grpc-web(?<text>-text)?(?=[+;,\s]|$)/i
const GRPC = /^application\/grpc(?<suffix>\+[\w.-]+)?\s*(?:;|$)/i

/** What a Content-Type says of a call of grpc-web; null where it is none. */
export function webForm(contentType: string | undefined): WebForm | null {
  const groups = contentType === undefined ? undefined : CONTENT_TYPE.exec(contentType)?.groups
  if (groups === undefined) return null
  return { isText: groups['text'] !== undefined, suffix: groups['suffix'] ?? '' }
}

/** Whether the reply is to be text: what Accept says first of grpc-web, and else what the request is. */
export function wantsText(accept: string | undefined, { isText }: WebForm): boolean {
  const groups = accept === undefined ? undefined : ACCEPTED.exec(accept)?.groups
  return groups === undefined ? isText : groups['text'] !== undefined
}

/** The Content-Type of a reply of gRPC as grpc-web has it; null where it is none of gRPC. */
export function webType(contentType: string | undefined, isText: boolean): string | null {
  const match = contentType === undefined ? null : GRPC.exec(contentType)
  if (match === null) return null
  return `application/grpc-web${isText ? '-text' : ''}${match.groups?.['suffix'] ?? '+proto'}`
}
