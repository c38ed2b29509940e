// The canvas that is drawn on. Ink is what is opaque, so the numbers do not depend on the colours.

export function connect(canvas, hint, undo, clear, pen, changed) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const width = pen * canvas.width;
  let strokes = [];
  let pointer = null; // the one that draws

  function start() {
    const [red, green, blue] = getComputedStyle(canvas).getPropertyValue("--ink").trim().split(/\s+/);
    context.fillStyle = context.strokeStyle = `rgb(${red} ${green} ${blue})`;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = width;
  }

  // The stroke from its point number `n` on.
  function paint(points, n) {
    start();
    context.beginPath();
    if (n === 0) {
      context.arc(...points[0], width / 2, 0, 2 * Math.PI);
      context.fill();
      context.beginPath();
    }
    context.moveTo(...points[Math.max(n - 1, 0)]);
    points.slice(n).forEach((point) => context.lineTo(...point));
    context.stroke();
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

    // The ink as side × side whole numbers from 0 to `full`: each the mean of a block of the canvas.
    pixels(side, full) {
      const block = canvas.width / side;
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const sums = new Array(side * side).fill(0);
      for (let y = 0; y < canvas.height; y++) {
        const row = Math.floor(y / block) * side;
        for (let x = 0; x < canvas.width; x++) {
          sums[row + Math.floor(x / block)] += data[4 * (y * canvas.width + x) + 3];
        }
      }
      return sums.map((sum) => Math.round((sum * full) / (255 * block * block)));
    },
  };
}
