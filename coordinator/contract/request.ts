import { z } from 'zod'
import { MAX_INPUT } from './control.ts'
import { RequestId, WorkerName } from './names.ts'
import { PULL_POLICIES } from './pull.ts'
import { parseDuration, parseSize } from './units.ts'

const MAX_ARGUMENT = 128 * 1024 - 1 // bytes; MAX_ARG_STRLEN of Linux, execve(2), less the final NUL
const MAX_COMMAND = 1_500_000 // bytes in all; a quarter of the default 8 MiB stack less the environment, execve(2)

/** setTimeout's own bound is 2^31 - 1 milliseconds. */
const MAX_WAIT = 24 * 86_400_000

/** No NUL (ends a C string) and no U+FFFD (what is left of bytes that were not UTF-8 and could not be passed on exactly). */
const exactText = z
  .string()
  .refine((text) => !text.includes('\0'), { error: 'must not contain a NUL byte' })
  .refine((text) => !text.includes('\uFFFD'), { error: 'must be valid UTF-8; other bytes cannot be passed exactly' })
  .refine((text) => Buffer.byteLength(text) <= MAX_ARGUMENT, {
    error: 'is longer than the 131,071 bytes that Linux allows',
  })

const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'an environment name is letters, digits and _' }),
  exactText,
)

const sizeOption = z
  .string()
  .transform((text, context) => unit(parseSize(text), context, `"${text}" is not a size such as 512m or 4g`))
const durationOption = z
  .string()
  .transform((text, context) =>
    unit(parseDuration(text), context, `"${text}" is not a duration such as 90s, 10m or 2h`),
  )

function unit(value: number | undefined, context: z.RefinementCtx, message: string): number {
  if (value !== undefined) return value
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

/** Image references as Docker reads them, bounded; never a path or an option. */
const imageReference = z
  .string()
  .max(255)
  .regex(/^[a-z0-9][a-zA-Z0-9._\-/:@]*$/, { error: 'is not an image name such as hal9000/worker:0.1.0' })

const cpus = z.coerce.number({ error: 'is not a number of cores such as 2 or 0.5' }).min(0.01).max(4096)
const pids = z.coerce
  .number({ error: 'is not a whole number' })
  .int({ error: 'is not a whole number' })
  .min(8, { error: 'must be 8 or more: the worker itself needs some processes' })
  .max(4_194_304)
/** Below this the worker's own session does not fit. */
const memory = sizeOption.refine((bytes) => bytes >= 16 * 1024 * 1024, { error: 'must be 16m or more' })

/** The settings that flags, environment, the project's file and the user's file can all give. */
export const Settings = z
  .strictObject({
    image: imageReference,
    memory,
    cpus,
    pidsLimit: pids,
    noLimits: z.boolean(),
    env: environment,
    command: z.array(exactText).min(1),
    timeout: durationOption,
    pull: z.enum(PULL_POLICIES, { error: 'must be never, missing or always' }),
    onNetworkLoss: z.enum(['keep', 'stop'], { error: 'must be keep or stop' }),
  })
  .partial()
export type Settings = z.output<typeof Settings>

/** A terminal's size in character cells. */
export const TerminalSize = z.strictObject({
  columns: z.coerce.number().int().min(1).max(1000),
  rows: z.coerce.number().int().min(1).max(1000),
})
export type TerminalSize = z.infer<typeof TerminalSize>

/** TERM is a file name in the terminfo database: never a path. */
const TermName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9+._-]{0,63}$/)

/** A command and its arguments. */
const CommandWords = z
  .array(exactText)
  .min(1)
  .max(20_000)
  .refine((words) => words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0) <= MAX_COMMAND, {
    error: 'is longer than the 1.5 MB that are passed',
  })

/** What `spawn` sends: a plain request. Everything that needs a decision is decided by the coordinator. */
export const SpawnRequest = z.strictObject({
  id: RequestId,
  project: exactText.min(1, { error: 'is missing' }),
  name: WorkerName.optional(),
  command: CommandWords.optional(),
  settings: Settings.default({}),
  secrets: z
    .record(
      z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, { error: 'a secret name is letters, digits, _ . -' }),
      z.base64().max(1_000_000),
    )
    .default({}),
  /** Length of the command's input, which was sent before (ROUTE.input); null = it has none. Bytes. */
  input: z.number().int().min(0).max(MAX_INPUT, { error: 'is more than 8 MiB' }).nullable().default(null),
  remove: z.boolean().default(true),
  replace: z.boolean().default(false),
  io: z.enum(['session', 'pipes']).default('session'),
  /** What the person asked for; undefined lets the marker and the default decide. */
  run: z.enum(['foreground', 'detached']).optional(),
  /** Answer when the request is queued. */
  noWait: z.boolean().default(false),
  /** How long the request may wait for room. Milliseconds. */
  wait: durationOption.refine((wait) => wait <= MAX_WAIT, { error: 'must be 24d or less' }).default(60_000),
  size: TerminalSize.default({ columns: 80, rows: 24 }),
  term: TermName.default('xterm-256color'),
  /** The client's WORKER_*, HAL9000_* and AGENTIC_IN_CONTAINER variables. */
  clientEnv: z.record(z.string(), z.string()).default({}),
})
export type SpawnRequest = z.output<typeof SpawnRequest>
export type SpawnRequestInput = z.input<typeof SpawnRequest>

/** Seconds between TERM and KILL. */
export const StopRequest = z.strictObject({ grace: z.coerce.number().int().min(0).max(3600).default(10) })
export type StopRequest = z.infer<typeof StopRequest>

/** Whether exit record and log are forgotten too. */
export const RemoveRequest = z.strictObject({ record: z.boolean().default(false) })

const flag = z.enum(['0', '1']).transform((text) => text === '1')

export const ListQuery = z.strictObject({ all: flag.default(false) })

/** How far a log was read: of stdout and of stderr the time of the last entry, and how many of that time were read. */
export const LogPlace = z.string().regex(/^[\dT:.-]*Z?,\d+,[\dT:.-]*Z?,\d+$/)
export type LogPlace = z.infer<typeof LogPlace>

export const LogsQuery = z.strictObject({
  follow: flag.default(false),
  /** Last n lines only. */
  tail: z.coerce.number().int().min(0).max(1_000_000).optional(),
  /** Milliseconds since the epoch. */
  since: z.coerce.number().int().min(0).optional(),
  /** Only what comes after the place at which a coordinator left (LEAVING_HEADER). */
  after: LogPlace.optional(),
  timestamps: flag.default(false),
})
export type LogsQuery = z.infer<typeof LogsQuery>

/** A client's terminal: its size, its kind, and what it says of its colours (COLORTERM). */
const ClientTerminal = z.strictObject({
  ...TerminalSize.shape,
  term: TermName.catch('xterm-256color'),
  colors: z.enum(['truecolor', '24bit']).optional().catch(undefined),
})
export type ClientTerminal = z.infer<typeof ClientTerminal>

/** The id of an attachment, made by the client: also how it is resized, closed and asked for its outcome. */
export const AttachmentId = z.string().regex(/^[a-z0-9-]{8,64}$/, { error: 'must be 8 to 64 of a-z 0-9 -' })

/** The three ways into a worker: its command's session, a fresh login shell, one more command. */
export const AttachRequest = z.discriminatedUnion('enter', [
  z.strictObject({ enter: z.literal('session'), id: AttachmentId, terminal: ClientTerminal }),
  z.strictObject({ enter: z.literal('shell'), id: AttachmentId, terminal: ClientTerminal }),
  z.strictObject({
    enter: z.literal('command'),
    id: AttachmentId,
    command: CommandWords,
    /** null: plain pipes, as frames (contract/frames.ts). */
    terminal: ClientTerminal.nullable(),
  }),
])
export type AttachRequest = z.infer<typeof AttachRequest>

export const EventsQuery = z.strictObject({
  follow: flag.default(false),
  /** Only what came after the event of this id. */
  after: z
    .string()
    .regex(/^\d{1,15}-\d{1,15}$/, { error: 'is not the id of an event, such as 1893456000000-0' })
    .optional(),
  tail: z.coerce.number().int().min(0).max(10_000).default(100),
})
