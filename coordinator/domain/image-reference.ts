import { Failure } from '../contract/failure.ts'

/** Names of our own images: they are built on this host, and on a public registry they may be anybody's. */
const OURS = /^((index\.)?docker\.io\/)?hal9000\//

export function isBuiltHere(reference: string): boolean {
  return OURS.test(reference)
}

/** The reference as the engine understands it: without tag and digest it is the tag "latest". */
export function withTag(reference: string): string {
  const last = reference.slice(reference.lastIndexOf('/') + 1)
  return /[:@]/.test(last) ? reference : `${reference}:latest`
}

export function imageMissing(reference: string, cause?: unknown): Failure {
  return new Failure('image-missing', `Image "${reference}" is not on this host.`, {
    hint: isBuiltHere(reference)
      ? './hal9000 build'
      : `have it pulled with --pull missing, or by docker pull ${reference}`,
    cause,
  })
}

/** `words`: why, as whoever tried it says. */
export function pullFailed(reference: string, words: string, cause?: unknown): Failure {
  return new Failure('pull-failed', `Image "${reference}" could not be pulled: ${words}`, {
    hint: `try it on the host, where logins are known: docker pull ${reference}`,
    cause,
  })
}
