// The canvas that is drawn on. The network is shown the strokes enlarged, drawn with a pen as wide as their extent asks for.

// The width of the pen on the page, as a share of the canvas: thin enough for a small digit.
const PEN = 0.035;

// The stroke from its point number `n` on, in the context's colours.
function trace(context, points, n, width) {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = width;
  if (n === 0) {
    context.beginPath();
    context.arc(...points[0], width / 2, 0, 2 * Math.PI);
    context.fill();
  }
  context.beginPath();
  context.moveTo(...points[Math.max(n - 1, 0)]);
  points.slice(n).forEach((point) => context.lineTo(...point));
  context.stroke();
}

// The least and the greatest coordinate of all strokes, across and down.
function spans(strokes) {
  const span = [[Infinity, -Infinity], [Infinity, -Infinity]];
  for (const point of strokes.flat()) {
    point.forEach((value, n) => {
      span[n] = [Math.min(span[n][0], value), Math.max(span[n][1], value)];
    });
  }
  return span;
}

export function connect(canvas, hint, undo, clear, changed) {
  const context = canvas.getContext("2d");
  const sent = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  let strokes = [];
  let pointer = null; // the one that draws

  function paint(points, n) {
    const [red, green, blue] = getComputedStyle(canvas).getPropertyValue("--ink").trim().split(/\s+/);
    context.fillStyle = context.strokeStyle = `rgb(${red} ${green} ${blue})`;
    trace(context, points, n, PEN * canvas.width);
  }

  function repaint() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    strokes.forEach((points) => paint(points, 0));
  }

  function tell() {
    const count = strokes.length;
    hint.hidden = count > 0;
    undo.disabled = clear.disabled = count === 0;
    const said = count === 0 ? "empty" : count === 1 ? "1 stroke" : `${count} strokes`;
    canvas.setAttribute("aria-label", `Drawing area, ${said}`);
    changed();
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    event.preventDefault();
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    strokes.push([place(event)]);
    paint(strokes.at(-1), 0);
    tell();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const points = strokes.at(-1);
    const n = points.length;
    const events = event.getCoalescedEvents?.() ?? [];
    points.push(...(events.length ? events : [event]).map(place));
    paint(points, n);
    tell();
  });

  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId === pointer) pointer = null;
    });
  }

  function edit(kept) {
    pointer = null;
    strokes = kept;
    repaint();
    tell();
  }
  undo.addEventListener("click", () => edit(strokes.slice(0, -1)));
  clear.addEventListener("click", () => edit([]));

  return {
    repaint,
    isEmpty: () => strokes.length === 0,

    // The ink as side × side whole numbers from 0 to `full`; the pen is a share of the strokes' longer extent. Ink is what
    // is opaque, so the numbers do not depend on the colours.
    pixels(side, full, pen) {
      const [[left, right], [top, bottom]] = spans(strokes);
      const extent = Math.max(right - left, bottom - top) || 1; // a dot has none
      const scale = side / (extent * (1 + pen));
      sent.canvas.width = sent.canvas.height = side; // which clears it, too
      sent.setTransform(scale, 0, 0, scale, side / 2, side / 2);
      sent.translate(-(left + right) / 2, -(top + bottom) / 2);
      strokes.forEach((points) => trace(sent, points, 0, pen * extent));
      const { data } = sent.getImageData(0, 0, side, side);
      return Array.from({ length: side * side }, (_, n) => Math.round((data[4 * n + 3] * full) / 255));
    },
  };
}
