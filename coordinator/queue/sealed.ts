import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const NONCE = 12
const TAG = 16

/** Encrypts a payload for the queue; `context` (the request's id) is bound to it, so that payloads cannot be swapped. */
export function seal(key: Buffer, context: string, payload: unknown): string {
  return sealBytes(key, context, Buffer.from(JSON.stringify(payload))).toString('base64')
}

/** The inverse of `seal`; throws when the key, the context or a single bit is another. */
export function unseal(key: Buffer, context: string, sealed: string): unknown {
  return JSON.parse(unsealBytes(key, context, Buffer.from(sealed, 'base64')).toString())
}

/** The same for bytes that are no JSON, and for a store that takes bytes. */
export function sealBytes(key: Buffer, context: string, bytes: Buffer): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context))
  const sealed = [cipher.update(bytes), cipher.final()]
  return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed])
}

/** The inverse of `sealBytes`; throws when the key, the context or a single bit is another. */
export function unsealBytes(key: Buffer, context: string, sealed: Buffer): Buffer {
  // The length is given, or a tag cut to 4 bytes would do.
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE), { authTagLength: TAG })
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(NONCE, NONCE + TAG))
  const bytes = decipher.update(sealed.subarray(NONCE + TAG))
  decipher.final() // compares the tag; in this mode no bytes come with it
  return bytes
}
