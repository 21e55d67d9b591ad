import { expect, it } from 'vitest';
import { printer, type Sink } from './printer.js';

function recorded(isTTY: boolean): Sink & { text: string } {
  return {
    isTTY,
    text: '',
    write(text: string) {
      this.text += text;
    },
  };
}

it('is plain where there is no terminal, with progress every ten seconds', () => {
  const sink = recorded(false);
  let time = 0;
  const out = printer(sink, { now: () => time });
  out.step('Run');
  for (time = 0; time <= 25_000; time += 1000) out.progress(`at ${time}`);
  out.table([
    ['', 'v1', 'v2'],
    ['records/s', '10', '1,000'],
  ]);
  out.bad('different');
  expect(sink.text).toBe(
    ['', '1  Run', '   at 10000', '   at 20000', '               v1      v2', '   records/s   10   1,000', '   different', ''].join('\n'),
  );
});

it('keeps one moving line on a terminal, and clears it before the next', () => {
  const sink = recorded(true);
  const out = printer(sink, { colour: false });
  out.progress('1 of 2');
  out.progress('2 of 2');
  out.fact('done');
  expect(sink.text).toBe('\r\u001b[K   1 of 2\r\u001b[K   2 of 2\r\u001b[K   done\n');
});
