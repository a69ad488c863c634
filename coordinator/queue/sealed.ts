import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const NONCE = 12
const TAG = 16

/** Encrypts a payload for the queue; `context` (the request's id) is bound to it, so that payloads cannot be swapped. */
export function seal(key: Buffer, context: string, payload: unknown): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(payload)), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

/** The inverse of `seal`; throws when the key, the context or a single bit is another. */
export function unseal(key: Buffer, context: string, sealed: string): unknown {
  const bytes = Buffer.from(sealed, 'base64')
  // The length is given, or a tag cut to 4 bytes would do.
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE), { authTagLength: TAG })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
  const payload = Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()])
  return JSON.parse(payload.toString())
}
