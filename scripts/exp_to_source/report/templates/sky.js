"use strict";

/* The sky map: north up, east left; a click shows the row of a source. */

const sky = element("sky");
const placed = [...data.rows.keys()].filter((n) => data.positions[n]);
const EDGE = 34;

/* Classes of colour: their lower limits, in words. */
const SCALES = {
  snr: { label: "S/N", limits: [0, 3, 10, 30, 100] },
  exposures: { label: "exposures", limits: [0] },
};
const column = (label) => data.columns.findIndex((one) => one.label === label);
const most = Math.max(1, ...data.rows.map((row) => Number(row[column("exposures")] || 0)));
SCALES.exposures.limits = [...new Set([1, 2, 3, 4, 5].map((k) => Math.max(1, Math.round((k * most) / 5))))];

function shade(n) {
  const scale = SCALES[element("shade").value];
  const text = data.rows[n][column(scale.label)];
  if (!text) return 0;
  return Math.max(1, scale.limits.filter((limit) => Number(text) >= limit).length);
}

/* Position in pixels of each source, by one scale in both directions. */
function skyLayout() {
  const size = sky.clientWidth;
  const decs = placed.map((n) => data.positions[n][1]);
  const middle = (Math.min(...decs) + Math.max(...decs)) / 2;
  const zero = data.positions[placed[0]][0];
  const stretch = Math.cos((middle * Math.PI) / 180);
  /* Degrees of the sky east of the first, also across RA 0. */
  const east = placed.map((n) => (((data.positions[n][0] - zero + 540) % 360) - 180) * stretch);
  const [west, far] = [Math.min(...east), Math.max(...east)];
  const span = Math.max(far - west, Math.max(...decs) - Math.min(...decs), 1e-4) * 1.04;
  const scale = (size - 2 * EDGE) / span;
  const centre = (west + far) / 2;
  const at = placed.map((n, k) => [size / 2 - (east[k] - centre) * scale, size / 2 - (decs[k] - middle) * scale]);
  return { size, at, scale, span, stretch, ra: (x) => zero + (centre - (x - size / 2) / scale) / stretch, dec: (y) => middle - (y - size / 2) / scale };
}

function drawSky() {
  if (!placed.length || !sky.clientWidth) return;
  const place = skyLayout();
  const ratio = devicePixelRatio || 1;
  sky.style.height = `${place.size}px`;
  sky.width = sky.height = Math.round(place.size * ratio);
  const brush = sky.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  brush.scale(ratio, ratio);
  brush.strokeStyle = colour("line");
  brush.fillStyle = colour("muted");
  brush.font = "11px system-ui, sans-serif";
  brush.strokeRect(EDGE + 0.5, 8.5, place.size - EDGE - 9, place.size - EDGE - 9);
  const [edge, low] = [place.size - 8, place.size - EDGE];
  brush.textAlign = "center";
  for (const tick of ticks(place.ra(edge - 14), place.ra(EDGE + 14), 4)) {
    const x = place.size / 2 + (place.ra(place.size / 2) - tick) * place.stretch * place.scale;
    brush.fillText(`${tick}°`, x, low + 15);
    brush.fillRect(x, low, 1, 4);
  }
  brush.fillText("RA", place.size / 2, low + 29);
  brush.textAlign = "right";
  for (const tick of ticks(place.dec(low - 14), place.dec(8 + 14), 4)) {
    const y = place.size / 2 - (tick - place.dec(place.size / 2)) * place.scale;
    brush.save();
    brush.translate(EDGE - 6, y);
    brush.rotate(-Math.PI / 2);
    brush.textAlign = "center";
    brush.fillText(`${tick}°`, 0, 0);
    brush.restore();
    brush.fillRect(EDGE - 3, y, 4, 1);
  }
  brush.textAlign = "left";
  drawCompass(brush, place.size);
  const shown = new Set(state.view);
  const radius = placed.length > 1500 ? 2 : placed.length > 200 ? 3.2 : 5;
  const order = [...placed.keys()].sort((a, b) => shade(placed[a]) - shade(placed[b]));
  for (const k of order) {
    const n = placed[k];
    brush.globalAlpha = shown.has(n) ? 0.9 : 0.12;
    brush.fillStyle = colour(`shade-${shade(n)}`);
    brush.beginPath();
    brush.arc(...place.at[k], radius, 0, 7);
    brush.fill();
    if (n === state.picked) {
      brush.strokeStyle = colour("absent");
      brush.lineWidth = 2;
      brush.globalAlpha = 1;
      brush.beginPath();
      brush.arc(...place.at[k], radius + 4, 0, 7);
      brush.stroke();
    }
  }
  drawScale();
}

function drawCompass(brush, size) {
  const [x, y] = [size - 22, 48];
  brush.fillRect(x, y - 22, 1, 22);
  brush.fillRect(x - 22, y, 22, 1);
  brush.fillText("N", x - 4, y - 26);
  brush.fillText("E", x - 32, y + 4);
}

function drawScale() {
  const { label, limits } = SCALES[element("shade").value];
  const items = limits.map((limit, k) => {
    const next = limits[k + 1];
    const text = next === undefined ? `${limit} or more` : next - limit === 1 && label !== "S/N" ? `${limit}` : `${limit} to ${next}`;
    return make("li", text, { style: `--colour: var(--shade-${k + 1})` });
  });
  element("sky-scale").replaceChildren(...items);
}

function nearest(event) {
  const box = sky.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const shown = new Set(state.view);
  let [best, least] = [null, 14];
  skyLayout().at.forEach(([left, top], k) => {
    const distance = Math.hypot(left - x, top - y);
    if (distance < least && shown.has(placed[k])) [best, least] = [placed[k], distance];
  });
  return best;
}

function tellSky(event) {
  const n = nearest(event);
  sky.style.cursor = n === null ? "default" : "pointer";
  if (n === null) return;
  const row = (label) => (column(label) >= 0 ? data.rows[n][column(label)] : "");
  const words = [row("name") || row("id"), row("class"), row("S/N") && `S/N ${row("S/N")}`, `${row("exposures")} exposures`];
  element("sky-readout").textContent = words.filter(Boolean).join(", ");
}

/* Turn to the page with the row of a source, and mark it. */
function goTo(n) {
  if (n === null) return;
  state.picked = n;
  state.page = Math.floor(state.view.indexOf(n) / pageSize());
  showTable();
  drawSky();
  const row = element("table").querySelector(".picked");
  row.scrollIntoView({ block: "center" });
  row.querySelector("button, a").focus({ preventScroll: true });
}
