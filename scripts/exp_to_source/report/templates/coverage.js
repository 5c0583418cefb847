"use strict";

/* The map: canvas, cursor, zoom. State and data are those of report.js. */

const map = element("map");
/* The map without its cursor. */
const still = document.createElement("canvas");
const TOP = 38;
const TALLEST = 660;
/* Number of sources that have a row each; height of the bars of more. */
const MOST_ROWS = 60;
const BAR = 160;

/* Exposures that follow each other with one setting: [setting, first, count]. */
const groups = [];
data.settings.forEach((setting, place) => {
  const last = groups.at(-1);
  if (last && last[0] === setting) last[2] += 1;
  else groups.push([setting, place, 1]);
});

/* Where columns and rows are, in pixels of the page. */
function layout() {
  const width = map.clientWidth;
  const rows = Math.max(state.count, 1);
  const bars = rows > MOST_ROWS;
  const height = bars ? BAR : Math.min(TALLEST, rows * 22);
  const pitch = bars ? height : height / rows;
  const left = bars ? 0 : 92;
  const gap = groups.length > 1 ? Math.min(8, (width - left) / groups.length / 4) : 0;
  const cell = Math.min(180, (width - left - gap * (groups.length - 1)) / data.exposures.length);
  const columns = [];
  groups.forEach(([, first, count], group) => {
    for (let n = first; n < first + count; n += 1) columns.push(left + n * cell + group * gap);
  });
  return { width, height, rows, bars, pitch, left, cell, columns };
}

function drawMap() {
  if (!map.clientWidth) return;
  const place = layout();
  const ratio = devicePixelRatio || 1;
  map.style.height = `${TOP + place.height}px`;
  map.width = Math.round(place.width * ratio);
  map.height = Math.round((TOP + place.height) * ratio);
  const brush = map.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  brush.scale(ratio, ratio);
  brush.font = "12px system-ui, sans-serif";
  drawHeads(brush, place, colour("muted"), colour("line"));
  drawCells(brush, place, colour);
  if (place.left) {
    brush.fillStyle = colour("muted");
    brush.font = `${place.pitch < 13 ? 10 : 11}px system-ui, sans-serif`;
    brush.textBaseline = "middle";
    for (let row = 0; row < state.count; row += 1) {
      const name = shortName(state.view[state.first + row]);
      brush.fillText(name, 0, TOP + (row + 0.5) * place.pitch, place.left - 8);
    }
  }
  still.width = map.width;
  still.height = map.height;
  still.getContext("2d").drawImage(map, 0, 0);
  if (state.at) drawCursor();
}

function shortName(n) {
  return data.products[n].split("_")[1] || data.products[n];
}

function drawHeads(brush, place, text, line) {
  brush.textBaseline = "alphabetic";
  for (const [setting, first, count] of groups) {
    const start = place.columns[first];
    const width = place.columns[first + count - 1] + place.cell - start;
    brush.fillStyle = text;
    brush.fillText(fitted(brush, setting, width), start, 12);
    brush.fillStyle = line;
    brush.fillRect(start, 18, width - 1, 1);
  }
  if (place.cell > 40) {
    brush.fillStyle = text;
    data.exposures.forEach((name, n) => {
      const words = name.split("_");
      const label = words.length > 2 ? words.slice(1, 3).join("_") : name;
      const short = words.length > 2 ? words[2].slice(-3) : "";
      const chosen = brush.measureText(label).width < place.cell - 4 ? label : short;
      brush.fillText(fitted(brush, chosen, place.cell - 4), place.columns[n], 33);
    });
  }
}

function fitted(brush, text, width) {
  let end = text.length;
  while (end && brush.measureText(text.slice(0, end)).width > width) end -= 1;
  return end === text.length ? text : end > 3 ? `${text.slice(0, end - 1)}…` : "";
}

/* A row for each source; or, where these would be too flat, a bar for each exposure. */
function drawCells(brush, place, colour) {
  const width = place.cell >= 4 ? place.cell - 1 : place.cell;
  const [none, one, many, gone] = ["map", "present", "several", "absent"].map(colour);
  const paint = (fill, left, top, high) => {
    brush.fillStyle = fill;
    brush.fillRect(left, TOP + top, width, high);
  };
  place.columns.forEach((left, exposure) => {
    if (!place.bars) {
      for (let row = 0; row < place.rows; row += 1) {
        const [present, several, absent] = tally(row, row + 1, exposure);
        const fill = absent ? gone : several ? many : present ? one : none;
        paint(fill, left, row * place.pitch, place.pitch - 2);
      }
      return;
    }
    const [present, , absent] = tally(0, state.count, exposure);
    const [above, below] = [present, absent].map((count) => (count / state.count) * place.height);
    paint(none, left, 0, place.height);
    paint(one, left, place.height - above - below, above);
    /* However few, those that are absent must show. */
    const high = absent && Math.max(below, 2);
    paint(gone, left, place.height - high, high);
  });
}

/* Sources of the rows first to last (without) with slits, with several, and absent. */
function tally(first, last, exposure) {
  let [present, several, absent] = [0, 0, 0];
  for (let row = first; row < last; row += 1) {
    const letter = data.coverage[state.view[state.first + row]][exposure];
    if (letter === "-") absent += 1;
    else if (letter !== ".") {
      present += 1;
      if (letter > "1") several += 1;
    }
  }
  return [present, several, absent];
}

/* With thousands of sources the map takes too long to be drawn again for each move. */
function drawCursor() {
  const place = layout();
  const brush = map.getContext("2d");
  const ratio = devicePixelRatio || 1;
  brush.setTransform(1, 0, 0, 1, 0, 0);
  brush.clearRect(0, 0, map.width, map.height);
  brush.drawImage(still, 0, 0);
  if (!state.at || place.bars) return;
  const { row, exposure } = state.at;
  const top = TOP + row * place.pitch;
  brush.scale(ratio, ratio);
  brush.strokeStyle = getComputedStyle(map).color;
  brush.strokeRect(
    place.columns[exposure] - 0.5,
    top - 0.5,
    Math.max(place.cell, 3),
    Math.max(place.pitch, 3),
  );
}

function pointAt(event) {
  const box = map.getBoundingClientRect();
  const place = layout();
  const x = event.clientX - box.left;
  const row = Math.floor((event.clientY - box.top - TOP) / place.pitch);
  const exposure = place.columns.findLastIndex((left) => left <= x);
  if (place.bars && exposure >= 0) {
    element("readout").textContent = tellBar(exposure);
    return;
  }
  const outside = exposure < 0 || x > place.columns[exposure] + place.cell;
  setCursor(row < 0 || row >= state.count || outside ? null : { row, exposure });
}

function setCursor(at) {
  state.at = at;
  drawCursor();
  element("readout").textContent = at ? tell(at) : "Move over the map, or use the arrow keys.";
}

function tellBar(exposure) {
  const [present, several, absent] = tally(0, state.count, exposure);
  const more = several ? `, ${several} of them with several slits` : "";
  return `${data.exposures[exposure]}: ${present} sources${more}; ${absent} absent`;
}

function tell({ row, exposure }) {
  const n = state.view[state.first + row];
  const letter = data.coverage[n][exposure];
  const slits = letter === "1" ? "1 slit" : letter === "9" ? "9 slits or more" : `${letter} slits`;
  const what = { "-": "absent", ".": "in no exposure of this setting" }[letter] || slits;
  const number = `row ${state.first + row + 1} of ${state.view.length}`;
  return `${data.products[n]} in ${data.exposures[exposure]}: ${what} (${number})`;
}

/* Zoom to a quarter of the sources, about the cursor, or back. */
function zoom(factor) {
  if (!state.count) return;
  const middle = state.first + (state.at ? state.at.row : state.count / 2);
  const count = Math.min(state.view.length, Math.max(12, Math.round(state.count * factor)));
  const first = Math.round(middle - count / 2);
  state.first = Math.max(0, Math.min(first, state.view.length - count));
  state.count = Math.min(count, state.view.length);
  const row = Math.floor(middle) - state.first;
  drawMap();
  setCursor(state.at && { row: Math.min(row, state.count - 1), exposure: state.at.exposure });
}

function moveCursor(event) {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (event.key === "+" || event.key === "=") zoom(1 / 4);
  else if (event.key === "-") zoom(4);
  else if (step && state.count) {
    event.preventDefault();
    const at = state.at || { row: 0, exposure: 0 };
    let row = at.row + (state.at ? step[0] : 0);
    const exposure = at.exposure + (state.at ? step[1] : 0);
    /* Beyond the edge, the window moves along. */
    const first = state.first + (row < 0 ? -1 : row >= state.count ? 1 : 0);
    const moved = first !== state.first;
    state.first = Math.max(0, Math.min(first, state.view.length - state.count));
    if (moved) drawMap();
    row = Math.max(0, Math.min(row, state.count - 1));
    setCursor({ row, exposure: Math.max(0, Math.min(exposure, data.exposures.length - 1)) });
  }
}
