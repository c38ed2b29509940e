// The page: strokes in, answers out. Texts go in as textContent, whatever the model's file calls its classes.

import { asked, NoAnswerError, watch } from "./asking.js";
import { connect } from "./drawing.js";
import { blank, FLOOR, fullColour, inkColours, paintCells, paintPicture, short, signedColours } from "./charts.js";

// Classes whose scores stand in one row with their names below: as many, of as many letters, as a phone has room for.
const MOST_NAMED = 12;
const LONGEST_NAMED = 2;
const at = (id) => document.getElementById(id);

function made(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

let model = null;
let drawing = null;
let answer = null; // what is shown; null for an empty drawing, and where there is none
let gone = false; // the server
let bars = [];
let strips = [];

function describe() {
  const counts = model.sizes.slice(1, -1);
  const inner = [counts.slice(0, -1).join(", "), counts.at(-1)].filter(Boolean).join(" and ");
  const through = inner ? `${inner} hidden units (${[...new Set(model.activations)].join(", ")})` : "no hidden layer";
  const { side, classes } = model;
  at("about").textContent =
    `${side} × ${side} pixels, ${through}, ${classes.length} classes` + (model.source ? `; ${model.source}.` : ".");
}

function makeChoice() {
  at("label").append(new Option("predicted", ""));
  model.classes.forEach((name, n) => at("label").append(new Option(name, n)));
}

function makeBars() {
  bars = model.classes.map((name) => {
    const row = made("li", "");
    const [track, fill, percent] = [made("div", "track"), made("div", "fill"), made("span", "percent", "–")];
    const label = made("span", "name", name);
    label.title = name;
    track.append(fill);
    row.append(label, track, percent);
    at("bars").append(row);
    return { row, fill, percent };
  });
}

// A strip of cells with its title and its scale; `called` says what a cell is, `names` stand below the cells.
function makeStrip(title, signed, called, names = null) {
  const part = made("div", "strip");
  const head = made("div", "head");
  const scale = made("div", "scale");
  const [low, high] = [made("span", "low"), made("span", "high")];
  const cells = made("canvas", "cells");
  scale.hidden = true;
  scale.append(low, made("i", signed ? "signed-ramp" : "warm-ramp"), high);
  head.append(made("h3", "", title), scale);
  cells.setAttribute("role", "img");
  cells.setAttribute("aria-label", `${title}, empty`);
  part.append(head, cells);
  if (names) {
    const under = made("div", "under");
    under.append(...names.map((name) => made("span", "", name)));
    under.setAttribute("aria-hidden", "true"); // the bars have the same names
    part.append(under);
  }
  at("layers").append(part);
  const strip = { title, signed, named: names !== null, scale, cells, values: [], find: () => -1 };
  cells.addEventListener("pointermove", (event) => {
    const n = strip.find(event.offsetX, event.offsetY);
    cells.title = n < 0 || answer === null ? "" : `${called(n)}: ${short(strip.values[n])}`;
  });
  return strip;
}

function makeStrips() {
  strips = model.sizes.slice(1, -1).map((count, n) =>
    makeStrip(`Hidden layer ${n + 1}: ${count} units`, model.signed[n], (unit) => `unit ${unit + 1}`));
  const { classes } = model;
  const named = classes.length <= MOST_NAMED && classes.every((name) => name.length <= LONGEST_NAMED);
  strips.push(makeStrip("Scores, before softmax", true, (n) => `score of ${classes[n]}`, named ? classes : null));
}

function showScale(scale, low, high) {
  scale.hidden = answer === null;
  scale.querySelector(".low").textContent = low;
  scale.querySelector(".high").textContent = high;
}

const percentage = (share) => `${(100 * share).toFixed(1)} %`;

function showBars() {
  bars.forEach(({ row, fill, percent }, n) => {
    const share = answer ? answer.probabilities[n] : 0;
    fill.style.width = `${100 * share}%`;
    percent.textContent = answer ? percentage(share) : "–";
    row.classList.toggle("best", answer !== null && n === answer.predicted);
  });
  at("verdict").textContent = answer ? model.classes[answer.predicted] : "–";
  at("sure").textContent = answer ? percentage(answer.probabilities[answer.predicted])
    : drawing.isEmpty() ? "nothing drawn yet" : "no answer";
}

function showPictures() {
  const [pixels, gradient] = [at("pixels"), at("gradient")];
  if (answer === null) {
    blank(pixels);
    blank(gradient);
    pixels.setAttribute("aria-label", "The network's input, empty");
    gradient.setAttribute("aria-label", "The gradient, empty");
    showScale(at("pixels-scale"), "0", "0");
    showScale(at("gradient-scale"), "0", "0");
    at("flat").hidden = true;
    return;
  }
  const ink = inkColours();
  // In the loss's unit for a pixel that goes all the way from paper to ink.
  const slopes = answer.gradient.map((value) => value * model.full);
  const most = fullColour(slopes);
  const signed = signedColours();
  paintPicture(pixels, model.side, answer.pixels.map((value) => value / model.full), ink);
  paintPicture(gradient, model.side, slopes.map((value) => value / most), signed);
  const label = model.classes[answer.label];
  pixels.setAttribute("aria-label", `The network's input, ${model.side} by ${model.side} pixels`);
  gradient.setAttribute("aria-label", `Gradient of the loss of class ${label} on the pixels`);
  showScale(at("pixels-scale"), "0", short(model.full));
  showScale(at("gradient-scale"), short(-most), `+${short(most)}`);
  at("flat").textContent = `No pixel changes this loss by more than ${short(FLOOR)}; choose another class.`;
  at("flat").hidden = slopes.some((value) => Math.abs(value) > FLOOR);
}

function showStrips() {
  const signed = signedColours();
  strips.forEach((strip, n) => {
    strip.scale.hidden = answer === null;
    if (answer === null) {
      strip.values = [];
      strip.cells.setAttribute("aria-label", `${strip.title}, empty`);
      strip.find = paintCells(strip.cells, Array(model.sizes[n + 1]).fill(0), signed, strip.named);
      return;
    }
    strip.values = n < answer.hidden.length ? answer.hidden[n] : answer.scores;
    const most = fullColour(strip.values);
    strip.find = paintCells(strip.cells, strip.values.map((value) => value / most), signed, strip.named);
    showScale(strip.scale, strip.signed ? short(-most) : "0", strip.signed ? `+${short(most)}` : short(most));
    strip.cells.setAttribute("aria-label", `${strip.title}, up to ${short(most)}`);
  });
}

function show() {
  if (model === null) return;
  showBars();
  showPictures();
  showStrips();
}

function problem(text) {
  at("problem").textContent = text;
  at("problem").hidden = text === "";
}

// One question at a time, the next with the drawing as it then is, and none but before a frame.
function connectNetwork() {
  let [waiting, busy, frame] = [false, false, 0];

  function ask() {
    waiting = true;
    at("answer").setAttribute("aria-busy", "true");
    if (!busy && frame === 0) frame = requestAnimationFrame(send);
  }

  async function send() {
    [frame, waiting] = [0, false];
    if (drawing.isEmpty()) {
      answer = null;
      show();
      at("answer").setAttribute("aria-busy", "false");
      return;
    }
    busy = true;
    const label = at("label").value === "" ? null : Number(at("label").value);
    try {
      const pixels = drawing.pixels(model.canvas, model.ink, model.pen);
      const got = await asked("predict", { method: "POST", body: JSON.stringify({ pixels, label }) });
      gone = false;
      problem("");
      answer = drawing.isEmpty() ? null : got;
    } catch (error) {
      failed(error);
      answer = null; // what is shown would be of an earlier drawing
    }
    show();
    busy = false;
    if (waiting) ask();
    else at("answer").setAttribute("aria-busy", "false");
  }

  return ask;
}

function failed(error) {
  gone = error instanceof NoAnswerError;
  problem(error.message);
}

function start() {
  describe();
  makeChoice();
  makeBars();
  makeStrips();
  const ask = connectNetwork();
  drawing = connect(at("drawing"), at("hint"), at("undo"), at("clear"), ask);
  at("label").addEventListener("change", ask);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    drawing.repaint();
    show();
  });
  new ResizeObserver(show).observe(at("layers"));
  show();
  return ask;
}

let ask = null;

function found(content) {
  if (model === null) {
    model = content;
    ask = start();
  } else if (JSON.stringify(content) !== JSON.stringify(model)) {
    location.reload(); // another server has taken the place of this page's
    return;
  } else if (gone) {
    ask();
  }
  if (gone) problem("");
  gone = false;
}

watch(found, failed);
