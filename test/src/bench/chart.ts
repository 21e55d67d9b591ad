/** Line charts side by side as one SVG: both axes logarithmic, because sides differ by orders of magnitude. */

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** A level across the chart. */
  readonly line?: { readonly at: number; readonly name: string };
}
export interface Series {
  readonly name: string;
  /** Above zero; others cannot stand on a logarithmic axis and are left out. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const [WIDTH, HEIGHT] = [380, 300];
const MARGIN = { left: 56, right: 16, top: 34, bottom: 42 };
/** Okabe and Ito (2008): told apart by people who do not see all colours. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

export function chart(charts: readonly Chart[]): string {
  const names = [...new Set(charts.flatMap(({ series }) => series.map(({ name }) => name)))];
  const height = HEIGHT + 20 * names.length + 16;
  const legend = names.map((name, i) => {
    const y = HEIGHT + 16 + 20 * i;
    return `<g transform="translate(${MARGIN.left} ${y})"><path d="M0 0H24" stroke="${colour(i)}" stroke-width="2"/>${text(32, 4, name)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * charts.length} ${height}" font-family="sans-serif" font-size="11" fill="none">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...charts.map((one, i) => `<g transform="translate(${i * WIDTH} 0)">${panel(one, names)}</g>`),
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}

function panel({ title, x, y, series, line }: Chart, names: readonly string[]): string {
  const shown = series.map(({ name, points }) => ({ name, points: points.filter((point) => point.x > 0 && point.y > 0) }));
  const all = shown.flatMap(({ points }) => points);
  if (all.length === 0) return text(WIDTH / 2, HEIGHT / 2, `${title}: nothing was measured`, 'middle');
  const across = scale(all.map((point) => point.x), MARGIN.left, WIDTH - MARGIN.right); // prettier-ignore
  const up = scale([...all.map((point) => point.y), ...(line ? [line.at] : [])], HEIGHT - MARGIN.bottom, MARGIN.top);
  const bottom = HEIGHT - MARGIN.bottom;
  return [
    text(MARGIN.left, 18, title, 'start', 'bold'),
    ...across.ticks.map((tick) => `<path d="M${n(across.at(tick))} ${MARGIN.top}V${bottom}" stroke="#eee"/>${text(across.at(tick), bottom + 14, label(tick), 'middle')}`),
    ...up.ticks.map((tick) => `<path d="M${MARGIN.left} ${n(up.at(tick))}H${WIDTH - MARGIN.right}" stroke="#eee"/>${text(MARGIN.left - 6, up.at(tick) + 4, label(tick), 'end')}`),
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${WIDTH - MARGIN.right}" stroke="#888"/>`,
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 10, x, 'middle'),
    `<g transform="translate(12 ${(MARGIN.top + bottom) / 2}) rotate(-90)">${text(0, 0, y, 'middle')}</g>`,
    ...(line ? [`<path d="M${MARGIN.left} ${n(up.at(line.at))}H${WIDTH - MARGIN.right}" stroke="#888" stroke-dasharray="4 3"/>${text(WIDTH - MARGIN.right, up.at(line.at) - 4, line.name, 'end')}`] : []),
    ...shown.map(({ name, points }) => {
      const stroke = colour(names.indexOf(name));
      const path = points.map((point, i) => `${i === 0 ? 'M' : 'L'}${n(across.at(point.x))} ${n(up.at(point.y))}`).join('');
      const dots = points.map((point) => `<circle cx="${n(across.at(point.x))}" cy="${n(up.at(point.y))}" r="2.5" fill="${stroke}"/>`);
      return `<path d="${path}" stroke="${stroke}" stroke-width="2"/>${dots.join('')}`;
    }),
  ].join('\n'); // prettier-ignore
}

/** From the values to the pixels, with ticks at 1, 2 and 5 of each power of ten. */
function scale(values: readonly number[], from: number, to: number): { at(value: number): number; ticks: readonly number[] } {
  const [low, high] = [Math.min(...values) / 1.1, Math.max(...values) * 1.1];
  const at = (value: number): number => from + ((to - from) * Math.log(value / low)) / Math.log(high / low);
  const powers = Array.from({ length: Math.ceil(Math.log10(high / low)) + 3 }, (_, i) => 10 ** (Math.floor(Math.log10(low)) + i));
  const steps = Math.log10(high / low) > 3 ? [1] : [1, 2, 5];
  const ticks = powers.flatMap((power) => steps.map((step) => step * power)).filter((tick) => tick >= low && tick <= high);
  return { at, ticks };
}

const colour = (i: number): string => COLOURS[i % COLOURS.length]!;
const n = (value: number): string => value.toFixed(1);
const label = (value: number): string =>
  value >= 1000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));
const escaped = (words: string): string => words.replace(/&/g, '&amp;').replace(/</g, '&lt;');

function text(x: number, y: number, words: string, anchor = 'start', weight = 'normal'): string {
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" font-weight="${weight}" fill="#333">${escaped(words)}</text>`;
}
