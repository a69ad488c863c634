import { describe, expect, test } from 'vitest'
import { ControlStripper } from './strip-controls.ts'

const ESC = '\u001b'

describe('what is taken out of output for a terminal', () => {
  test.each([
    ['text and colours stay', `${ESC}[1;31mred${ESC}[0m ok\r\n\tx\b`, `${ESC}[1;31mred${ESC}[0m ok\r\n\tx\b`],
    ['colours with sub-parameters stay', `${ESC}[38:2::1:2:3mx`, `${ESC}[38:2::1:2:3mx`],
    ['the title', `a${ESC}]0;evil\u0007b`, 'ab'],
    ['the clipboard, ended by ST', `a${ESC}]52;c;ZXZpbA==${ESC}\\b`, 'ab'],
    ['a device control string', `a${ESC}P$q"p${ESC}\\b`, 'ab'],
    ['APC, PM and SOS', `a${ESC}_x${ESC}\\${ESC}^y${ESC}\\${ESC}Xz${ESC}\\b`, 'ab'],
    ['private modes', `a${ESC}[?1049h${ESC}[?2004hb`, 'ab'],
    ['questions that the terminal would answer', `a${ESC}[6n${ESC}[5n${ESC}[c${ESC}[>cb`, 'ab'],
    ['cursor movement and erasing', `a${ESC}[2J${ESC}[H${ESC}[Kb`, 'ab'],
    ['the m of another kind (modifyOtherKeys)', `a${ESC}[>4;1mb`, 'ab'],
    ['character sets and resets', `a${ESC}(0b${ESC}cc`, 'abc'],
    ['bell, NUL and DEL', 'a\u0007\u0000\u007fb', 'ab'],
    ['C1 controls in UTF-8', 'a\u009b6nb\u009d0;x\u0007c\u0085d', 'abcd'],
    ['an ESC in the middle of a sequence begins anew', `a${ESC}[3${ESC}[1mb`, `a${ESC}[1mb`],
    ['a string that never ends loses its line only', `a${ESC}]0;evil\nb`, 'a\nb'],
    ['other characters stay', 'Ünï © 漢字 🚀', 'Ünï © 漢字 🚀'],
  ])('%s', (_, input, expected) => {
    expect(strip(Buffer.from(input))).toBe(expected)
    const bytes = [...Buffer.from(input)].map((byte) => Buffer.from([byte]))
    expect(strip(...bytes), 'a byte at a time').toBe(expected)
  })

  test('8-bit and overlong forms of controls', () => {
    expect(strip(Buffer.from([0x61, 0x9b, 0x36, 0x6e, 0x62]))).toBe('ab')
    expect(strip(Buffer.from([0x61, 0xc0, 0x9b, 0x36, 0x6e, 0x62]))).toBe('ab')
  })

  test('colours are put back at the end if any were set', () => {
    const stripper = new ControlStripper()
    expect(stripper.end().toString()).toBe('')
    stripper.push(Buffer.from(`${ESC}[31mred`))
    expect(stripper.end().toString()).toBe(`${ESC}[0m`)
  })

  test('knows when it stands between two characters', () => {
    const stripper = new ControlStripper()
    const after = [0x61, 0x1b, 0x5b, 0x31, 0x6d, 0xc3, 0xa4, 0xc2, 0xa9].map((byte) => {
      stripper.push(Buffer.from([byte]))
      return stripper.between
    })
    expect(after).toEqual([true, false, false, false, true, false, true, false, true])
  })
})

function strip(...chunks: Buffer[]): string {
  const stripper = new ControlStripper()
  return Buffer.concat(chunks.map((chunk) => stripper.push(chunk))).toString('utf8')
}
