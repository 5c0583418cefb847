"use strict";

/* The map: canvas, cursor, zoom. State and data are those of report.js. */

const map = element("map");
/* The map without its cursor. */
const offscreenCanvas = document.createElement("canvas");
const TOP = 38;
const TALLEST = 660;
/* Number of sources that have a row each; height of the bars of more. */
const MOST_ROWS = 60;
const BAR = 160;

/* Exposures that follow each other with one setting: [setting, first, count]. */
const groups = [];
data.settings.forEach((setting, index) => {
  const last = groups.at(-1);
  if (last && last[0] === setting) last[2] += 1;
  else groups.push([setting, index, 1]);
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
  const grid = layout();
  const ctx = resizeCanvas(map, grid.width, TOP + grid.height);
  ctx.font = "12px system-ui, sans-serif";
  drawHeads(ctx, grid);
  drawCells(ctx, grid);
  if (grid.left) {
    ctx.fillStyle = colour("muted");
    ctx.font = `${grid.pitch < 13 ? 10 : 11}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    for (let row = 0; row < state.count; row += 1) {
      const name = shortName(state.view[state.first + row]);
      ctx.fillText(name, 0, TOP + (row + 0.5) * grid.pitch, grid.left - 8);
    }
  }
  offscreenCanvas.width = map.width;
  offscreenCanvas.height = map.height;
  offscreenCanvas.getContext("2d").drawImage(map, 0, 0);
  if (state.at) drawCursor();
}

function shortName(n) {
  return data.products[n].split("_")[1] || data.products[n];
}

function drawHeads(ctx, grid) {
  ctx.textBaseline = "alphabetic";
  for (const [setting, first, count] of groups) {
    const start = grid.columns[first];
    const width = grid.columns[first + count - 1] + grid.cell - start;
    ctx.fillStyle = colour("muted");
    ctx.fillText(fitText(ctx, setting, width), start, 12);
    ctx.fillStyle = colour("line");
    ctx.fillRect(start, 18, width - 1, 1);
  }
  if (grid.cell > 40) {
    ctx.fillStyle = colour("muted");
    data.exposures.forEach((name, n) => {
      const words = name.split("_");
      const label = words.length > 2 ? words.slice(1, 3).join("_") : name;
      const short = words.length > 2 ? words[2].slice(-3) : "";
      const fitting = ctx.measureText(label).width < grid.cell - 4 ? label : short;
      ctx.fillText(fitText(ctx, fitting, grid.cell - 4), grid.columns[n], 33);
    });
  }
}

function fitText(ctx, text, width) {
  let end = text.length;
  while (end && ctx.measureText(text.slice(0, end)).width > width) end -= 1;
  return end === text.length ? text : end > 3 ? `${text.slice(0, end - 1)}…` : "";
}

/* A row for each source; or, where these would be too flat, a bar for each exposure. */
function drawCells(ctx, grid) {
  const width = grid.cell >= 4 ? grid.cell - 1 : grid.cell;
  const [none, one, many, gone] = ["map", "present", "several", "absent"].map(colour);
  const paint = (fill, left, top, high) => {
    ctx.fillStyle = fill;
    ctx.fillRect(left, TOP + top, width, high);
  };
  grid.columns.forEach((left, exposure) => {
    if (!grid.bars) {
      for (let row = 0; row < grid.rows; row += 1) {
        const [present, several, absent] = tally(row, row + 1, exposure);
        const fill = absent ? gone : several ? many : present ? one : none;
        paint(fill, left, row * grid.pitch, grid.pitch - 2);
      }
      return;
    }
    const [present, , absent] = tally(0, state.count, exposure);
    const [above, below] = [present, absent].map((count) => (count / state.count) * grid.height);
    paint(none, left, 0, grid.height);
    paint(one, left, grid.height - above - below, above);
    /* However few, those that are absent must show. */
    const high = absent && Math.max(below, 2);
    paint(gone, left, grid.height - high, high);
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
  const grid = layout();
  const ctx = map.getContext("2d");
  const ratio = devicePixelRatio || 1;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, map.width, map.height);
  ctx.drawImage(offscreenCanvas, 0, 0);
  if (!state.at || grid.bars) return;
  const { row, exposure } = state.at;
  const top = TOP + row * grid.pitch;
  ctx.scale(ratio, ratio);
  ctx.strokeStyle = getComputedStyle(map).color;
  ctx.strokeRect(
    grid.columns[exposure] - 0.5,
    top - 0.5,
    Math.max(grid.cell, 3),
    Math.max(grid.pitch, 3),
  );
}

function pointAt(event) {
  const box = map.getBoundingClientRect();
  const grid = layout();
  const x = event.clientX - box.left;
  const row = Math.floor((event.clientY - box.top - TOP) / grid.pitch);
  const exposure = grid.columns.findLastIndex((left) => left <= x);
  if (grid.bars && exposure >= 0) {
    element("readout").textContent = describeBar(exposure);
    return;
  }
  const outside = exposure < 0 || x > grid.columns[exposure] + grid.cell;
  setCursor(row < 0 || row >= state.count || outside ? null : { row, exposure });
}

function setCursor(at) {
  state.at = at;
  drawCursor();
  element("readout").textContent = at ? describeCell(at) : "Move over the map, or use the arrow keys.";
}

function describeBar(exposure) {
  const [present, several, absent] = tally(0, state.count, exposure);
  const more = several ? `, ${several} of them with several slits` : "";
  return `${data.exposures[exposure]}: ${present} sources${more}; ${absent} absent`;
}

function describeCell({ row, exposure }) {
  const n = state.view[state.first + row];
  const letter = data.coverage[n][exposure];
  const slits = letter === "1" ? "1 slit" : letter === "9" ? "9 slits or more" : `${letter} slits`;
  const content = { "-": "absent", ".": "in no exposure of this setting" }[letter] || slits;
  const number = `row ${state.first + row + 1} of ${state.view.length}`;
  return `${data.products[n]} in ${data.exposures[exposure]}: ${content} (${number})`;
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
