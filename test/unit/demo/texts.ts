/** Texts that tokenizers like to change, then samples of every part of Unicode; none is empty. */
export function nastyTexts(): string[] {
  return [
    ' ',
    '  two spaces before',
    'space after ',
    'a line\n\nan empty line\n\n\n',
    '\r\n\t\v\f',
    '\u0000\u0001\u001b\u007f\u0080\u0085\u009f',
    '\ufeffmark first, \ufffd inside',
    'a\u00a0b\u2028c\u2029d\u3000e\u200b',
    'e\u0301 and é, ﬁ, １２, ٣',
    '👩‍👩‍👧 🏳️‍🌈 \u{10ffff}',
    "I'll, I'LL , it 's . No ! n't",
    'Reverse: lamp\nAnswer:',
    'ReversAnswerShiftAnswe',
    'before<|endoftext|> after',
    ...everyCodePoint(61, 512),
  ];
}

/** Every `step`th code point but the surrogates, in texts of `length` code points. */
export function everyCodePoint(step: number, length: number): string[] {
  const texts: string[] = [];
  let text: string[] = [];
  for (let point = 0; point <= 0x10ffff; point += step) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    if (text.push(String.fromCodePoint(point)) < length) continue;
    texts.push(text.join(''));
    text = [];
  }
  return text.length > 0 ? [...texts, text.join('')] : texts;
}
