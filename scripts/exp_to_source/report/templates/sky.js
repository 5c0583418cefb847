"use strict";

/* The sky map: north up, east left; a click shows the row of a source. */

const sky = element("sky");
const located = [...data.rows.keys()].filter((n) => data.positions[n]);
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
  const decs = located.map((n) => data.positions[n][1]);
  const middle = (Math.min(...decs) + Math.max(...decs)) / 2;
  const zero = data.positions[located[0]][0];
  const stretch = Math.cos((middle * Math.PI) / 180);
  /* Degrees of the sky east of the first, also across RA 0. */
  const east = located.map((n) => (((data.positions[n][0] - zero + 540) % 360) - 180) * stretch);
  const [west, far] = [Math.min(...east), Math.max(...east)];
  const span = Math.max(far - west, Math.max(...decs) - Math.min(...decs), 1e-4) * 1.04;
  const scale = (size - 2 * EDGE) / span;
  const centre = (west + far) / 2;
  const at = located.map((n, k) => [size / 2 - (east[k] - centre) * scale, size / 2 - (decs[k] - middle) * scale]);
  return { size, at, scale, span, stretch, ra: (x) => zero + (centre - (x - size / 2) / scale) / stretch, dec: (y) => middle - (y - size / 2) / scale };
}

function drawSky() {
  if (!located.length || !sky.clientWidth) return;
  const axes = skyLayout();
  const ctx = resizeCanvas(sky, axes.size, axes.size);
  ctx.strokeStyle = colour("line");
  ctx.fillStyle = colour("muted");
  ctx.font = "11px system-ui, sans-serif";
  ctx.strokeRect(EDGE + 0.5, 8.5, axes.size - EDGE - 9, axes.size - EDGE - 9);
  const [edge, low] = [axes.size - 8, axes.size - EDGE];
  ctx.textAlign = "center";
  for (const [tick, label] of labelled(ticks(axes.ra(edge - 24), axes.ra(EDGE + 24), 4))) {
    const x = axes.size / 2 + (axes.ra(axes.size / 2) - tick) * axes.stretch * axes.scale;
    ctx.fillText(`${label}°`, x, low + 15);
    ctx.fillRect(x, low, 1, 4);
  }
  ctx.fillText("RA", axes.size / 2, low + 29);
  for (const [tick, label] of labelled(ticks(axes.dec(low - 24), axes.dec(8 + 24), 4))) {
    const y = axes.size / 2 - (tick - axes.dec(axes.size / 2)) * axes.scale;
    fillUpright(ctx, `${label}°`, EDGE - 6, y);
    ctx.fillRect(EDGE - 3, y, 4, 1);
  }
  fillUpright(ctx, "Dec", 11, axes.size / 2);
  ctx.textAlign = "left";
  drawCompass(ctx, axes.size);
  const shown = new Set(state.view);
  const radius = located.length > 1500 ? 2 : located.length > 200 ? 3.2 : 5;
  /* Sources at one place are rings about each other, the darkest in the middle. */
  const rings = new Map();
  const order = [...located.keys()].sort((a, b) => shade(located[b]) - shade(located[a])).map((k) => {
    const place = axes.at[k].map(Math.round).join();
    rings.set(place, (rings.get(place) || 0) + 1);
    return [k, place, radius + 2.5 * Math.min(rings.get(place) - 1, 4)];
  });
  for (const [k, place, size] of order.reverse()) {
    const n = located[k];
    ctx.globalAlpha = shown.has(n) ? 0.9 : 0.12;
    ctx.fillStyle = colour(`shade-${shade(n)}`);
    ctx.strokeStyle = colour("panel");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.arc(...axes.at[k], size, 0, 7);
    ctx.fill();
    if (rings.get(place) > 1) ctx.stroke();
    if (n === state.picked) {
      ctx.strokeStyle = colour("absent");
      ctx.lineWidth = 2;
      ctx.globalAlpha = 1;
      ctx.beginPath();
      ctx.arc(...axes.at[k], size + 4, 0, 7);
      ctx.stroke();
    }
  }
  drawScale();
}

/* Write a text from bottom to top. */
function fillUpright(ctx, text, x, y) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(text, 0, 0);
  ctx.restore();
}

/* In the corner outside of the frame, where no source is. */
function drawCompass(ctx, size) {
  const [x, y] = [EDGE - 8, size - 6];
  ctx.fillRect(x, y - 14, 1, 14);
  ctx.fillRect(x - 14, y, 14, 1);
  ctx.fillText("N", x - 4, y - 17);
  ctx.fillText("E", x - 23, y + 4);
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

/* The sources of the dot that is nearest to the pointer: several if they are at one place. */
function sourcesAt(event) {
  const box = sky.getBoundingClientRect();
  const pointer = [event.clientX - box.left, event.clientY - box.top];
  const { at } = skyLayout();
  const shown = new Set(state.view);
  const dots = [...located.keys()].filter((k) => shown.has(located[k]));
  const distance = ([x, y], [left, top]) => Math.hypot(x - left, y - top);
  let [best, least] = [null, 14];
  for (const k of dots) {
    if (distance(at[k], pointer) < least) [best, least] = [k, distance(at[k], pointer)];
  }
  return best === null ? [] : dots.filter((k) => distance(at[k], at[best]) < 2).map((k) => located[k]);
}

function showTooltip(event) {
  const [n, ...others] = sourcesAt(event);
  sky.style.cursor = n === undefined ? "default" : "pointer";
  if (n === undefined) return;
  const row = (label) => (column(label) >= 0 ? data.rows[n][column(label)] : "");
  const words = [row("name") || row("id"), row("class"), row("S/N") && `S/N ${row("S/N")}`, `${row("exposures")} exposures`];
  if (others.length) words.push(`${others.length} more here: click again for the next`);
  element("sky-readout").textContent = words.filter(Boolean).join(", ");
}

/* Turn to the page with the row of a source, or of the next at its place, and mark it. */
function goTo(sources) {
  if (!sources.length) return;
  const n = sources[(sources.indexOf(state.picked) + 1) % sources.length];
  state.picked = n;
  state.page = Math.floor(state.view.indexOf(n) / pageSize());
  showTable();
  drawSky();
  const row = element("table").querySelector(".picked");
  row.scrollIntoView({ block: "center" });
  row.querySelector("button, a").focus({ preventScroll: true });
}
