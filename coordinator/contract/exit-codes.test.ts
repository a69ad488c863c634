import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { exitCodesMarkdown } from './exit-codes.ts'
import { FAILURES } from './failure.ts'

test('docs/exit-codes.md is what the table of failures says (else: npm run docs:exit-codes)', async () => {
  const page = await readFile(new URL('../../docs/exit-codes.md', import.meta.url), 'utf8')
  expect(page).toBe(exitCodesMarkdown())
})

test('every failure has one row, in the order of the exit codes', () => {
  const rows = [...exitCodesMarkdown().matchAll(/^\| (\d+) \| `([a-z-]+)` \| (.+) \|$/gm)]
  expect(rows).toHaveLength(Object.keys(FAILURES).length)
  for (const [, exitCode, code, meaning] of rows) {
    expect(FAILURES).toHaveProperty([String(code)], { exitCode: Number(exitCode), meaning })
  }
  const exitCodes = rows.map((row) => Number(row[1]))
  expect(exitCodes).toEqual([...exitCodes].sort((a, b) => a - b))
})
