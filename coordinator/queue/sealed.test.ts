import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { seal, sealBytes, unseal, unsealBytes } from './sealed.ts'

const KEY = Buffer.alloc(32, 1)
/** What the cipher says of a payload that is not as it was sealed, or too short to be one. */
const NOT_OURS = /unable to authenticate|Invalid (initialization vector|authentication tag length)/
const SEALED = seal(KEY, 'r1234567', { token: 'hunter2' })

test('what is sealed comes out as it went in', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.string(),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (payload, context, bytes) => {
        const key = Buffer.from(bytes)
        expect(unseal(key, context, seal(key, context, payload))).toEqual(JSON.parse(JSON.stringify(payload)))
      },
    ),
  )
})

test('bytes come out as they went in, and take no more room than nonce and tag', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), (array, context) => {
      const bytes = Buffer.from(array)
      const sealed = sealBytes(KEY, context, bytes)
      expect(sealed).toHaveLength(bytes.length + 28)
      expect(unsealBytes(KEY, context, sealed)).toEqual(bytes)
      expect(() => unsealBytes(KEY, `${context}x`, sealed)).toThrow(NOT_OURS)
    }),
  )
})

test('nothing of the payload can be read, and no two seals are alike', () => {
  expect(Buffer.from(SEALED, 'base64').toString('latin1')).not.toContain('hunter2')
  expect(SEALED).not.toContain('hunter2')
  expect(seal(KEY, 'r1234567', { token: 'hunter2' })).not.toBe(SEALED)
})

test('a single bit changed anywhere is noticed', () => {
  const bytes = Buffer.from(SEALED, 'base64')
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(7), (index, bit) => {
      const changed = Buffer.from(bytes)
      changed[index] = (changed[index] ?? 0) ^ (1 << bit)
      expect(() => unseal(KEY, 'r1234567', changed.toString('base64'))).toThrow(NOT_OURS)
    }),
    { numRuns: 300 },
  )
})

test('a payload cannot be cut, lengthened, or given to another request or key', () => {
  const bytes = Buffer.from(SEALED, 'base64')
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => unseal(KEY, 'r1234567', bytes.subarray(0, length).toString('base64'))).toThrow(NOT_OURS)
  }
  expect(() => unseal(KEY, 'r1234567', Buffer.concat([bytes, Buffer.of(0)]).toString('base64'))).toThrow(NOT_OURS)
  expect(() => unseal(KEY, 'r7654321', SEALED)).toThrow(NOT_OURS)
  expect(() => unseal(Buffer.alloc(32, 2), 'r1234567', SEALED)).toThrow(NOT_OURS)
})

test('a tag that was cut short is no tag', () => {
  // Nonce, and 4 bytes of the true tag of an empty payload: what GCM takes when nobody says how long a tag is.
  const short = Buffer.from(SEALED, 'base64').subarray(0, 16).toString('base64')
  expect(() => unseal(KEY, 'r1234567', short)).toThrow(/authentication tag length/i)
})
