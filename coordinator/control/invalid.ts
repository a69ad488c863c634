import type { z } from 'zod'
import { Failure } from '../contract/failure.ts'

/** Where a person gave the value, by where it is in the request. */
const GIVEN_AS: Record<string, string> = {
  project: 'PROJECT',
  name: '--name',
  command: 'the command',
  'settings.image': '--image',
  'settings.memory': '--memory',
  'settings.cpus': '--cpus',
  'settings.pidsLimit': '--pids-limit',
  'settings.timeout': '--timeout',
  'settings.pull': '--pull',
  'settings.onNetworkLoss': '--on-network-loss',
  'settings.env': '--env',
  secrets: '--secret',
  input: '--stdin',
  wait: '--wait',
  grace: '--time',
  size: 'the terminal size',
  since: '--since',
  tail: '--tail',
  after: '--after',
}

/** Input parsed by its schema; fails with `invalid-value`, naming the option as the person knows it and what it got. */
export function parseInput<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Failure('invalid-value', `${subject(issue)}: ${said(issue) ?? 'is not understood'}.`)
}

/** What is wrong, in the words of the schema; of a name in a record, what is wrong with the name. */
function said(issue: z.core.$ZodIssue | undefined): string | undefined {
  return (issue?.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue?.message
}

function subject(issue: z.core.$ZodIssue | undefined): string {
  const path = (issue?.path ?? []).map(String)
  const known = [path.slice(0, 2).join('.'), path[0] ?? ''].find((key) => key in GIVEN_AS)
  const given = known === undefined ? path.join('.') || 'the request' : GIVEN_AS[known]
  const item = path.at(-1)
  const named =
    known !== undefined &&
    ['settings.env', 'secrets'].includes(known) &&
    item !== undefined &&
    path.length > known.split('.').length
  return named ? `${given} ${printable(item)}` : (given ?? 'the request')
}

function printable(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
