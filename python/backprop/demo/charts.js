// Numbers as coloured pixels and cells. The colours are those of page.css, so that they follow light and dark.

const rgb = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim().split(/\s+/).map(Number);

const mix = (from, to, share) => from.map((value, n) => Math.round(value + (to[n] - value) * share));

// What full colour stands for: the largest magnitude, but at least this much, so that next to nothing looks like nothing.
export const FLOOR = 1e-3;
export const fullColour = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), FLOOR);

// From 0, paper, to 1, ink.
export function inkColours() {
  const [paper, ink] = [rgb("--paper"), rgb("--ink")];
  return (share) => mix(paper, ink, share);
}

// From -1, blue, over 0 to 1, red.
export function signedColours() {
  const [blue, middle, red] = [rgb("--blue"), rgb("--middle"), rgb("--red")];
  return (share) => mix(middle, share < 0 ? blue : red, Math.abs(share));
}

// A number in few characters.
export function short(value) {
  const size = Math.abs(value);
  const text = size === 0 ? "0" : size >= 1e4 || size < 1e-2 ? value.toExponential(1) : value.toPrecision(2);
  return (size >= 100 && size < 1e4 ? value.toFixed(0) : text).replaceAll("-", "−");
}

// A square image, one pixel of the canvas for each value, which must be what `colour` takes.
export function paintPicture(canvas, side, values, colour) {
  canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  values.forEach((value, n) => image.data.set([...colour(value), 255], 4 * n));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Leaves a picture without one.
export function blank(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

// Values as cells in rows of one length, small where they are many; `inOneRow` puts all of them in one.
// Returns which value is at a point, -1 for none.
export function paintCells(canvas, values, colour, inOneRow) {
  const width = canvas.clientWidth;
  const cell = inOneRow ? 28 : Math.max(5, Math.min(28, Math.floor(Math.sqrt((width * 220) / values.length))));
  const rows = inOneRow ? 1 : Math.ceil((values.length * cell) / width);
  const columns = Math.ceil(values.length / rows);
  const wide = width / columns;
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = `${rows * cell}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(rows * cell * ratio);
  const context = canvas.getContext("2d");
  const gap = cell > 8 ? 2 : 1;
  const edges = (n, size) => [Math.round(n * size * ratio), Math.round(((n + 1) * size - gap) * ratio)];
  values.forEach((value, n) => {
    const [left, right] = edges(n % columns, wide);
    const [top, bottom] = edges(Math.floor(n / columns), cell);
    context.fillStyle = `rgb(${colour(value).join(" ")})`;
    context.fillRect(left, top, right - left, bottom - top);
  });
  return (x, y) => {
    const [column, row] = [Math.floor(x / wide), Math.floor(y / cell)];
    const n = row * columns + column;
    return column < columns && n < values.length ? n : -1;
  };
}
