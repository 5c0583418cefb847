"use strict";

/* One source: its cut-outs, spectrum, entries, files. Also the small images of the table. */

const SVG = document.querySelector("svg").namespaceURI;
const MISSING = -32768;

const draw = (tag, attributes, content = "") => make(tag, content, attributes, document.createElementNS(SVG, tag));

function picture(bytes, text) {
  return make("img", "", { src: `data:image/png;base64,${bytes}`, alt: text });
}

/* Numbers of 16 bits in base64; NaN for none. */
function decodeNumbers(text, scale) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Array.from(new Int16Array(bytes.buffer), (value) => (value === MISSING ? NaN : value * scale));
}

function decodeSpectrum({ range, limits, scale, flux, error, unit, order }) {
  const [values, errors] = [decodeNumbers(flux, scale), decodeNumbers(error, scale)];
  const step = (range[1] - range[0]) / Math.max(values.length - 1, 1);
  return { range, limits, unit, order, values, errors, waves: values.map((_, k) => range[0] + k * step) };
}

/* Map a value between two limits to pixels. */
const between = (low, high, start, end) => (value) =>
  start + ((value - low) / (high - low || 1)) * (end - start);

/* A line through points, with gaps where there is no value. */
function path(xs, ys) {
  const point = (x, n) => `${Number.isFinite(ys[n - 1]) ? "L" : "M"}${x.toFixed(1)} ${ys[n].toFixed(1)}`;
  return xs.map((x, n) => (Number.isNaN(ys[n]) ? "" : point(x, n))).join("");
}

function sparkline(n) {
  const { values, waves, range, limits: [low, high] } = decodeSpectrum(data.spectra[n][0]);
  const x = between(...range, 1, 119);
  const y = between(Math.min(0, low), high, 27, 2);
  const chart = draw("svg", { viewBox: "0 0 120 29", class: "spark", preserveAspectRatio: "none", "aria-hidden": "true" });
  chart.append(draw("path", { d: path(waves.map(x), values.map(y)) }));
  return chart;
}

/* Round numbers between two limits. */
function ticks(low, high, most) {
  const least = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((s) => s >= least);
  const values = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) values.push(Number((k * step).toPrecision(10)));
  return values;
}

/* Pairs of a number and its label, all with as many decimals. */
function labelled(values) {
  const texts = values.map(String);
  const decimals = Math.max(0, ...texts.map((text) => (text.split(".")[1] || "").length));
  return values.map((value, k) => [value, texts.some((text) => text.includes("e")) ? texts[k] : value.toFixed(decimals)]);
}

/* The spectra of a source: a plot for each unit, the first below the resampled cut-out. */
function plots(n) {
  const curves = data.spectra[n].map(decodeSpectrum);
  const units = [...new Set(curves.map(({ unit }) => unit))];
  return units.map((unit, k) => plot(n, curves.filter((curve) => curve.unit === unit), k ? null : data.resampled[n][0]));
}

function plot(n, curves, resampled) {
  const { unit } = curves[0];
  const range = [Math.min(...curves.map((c) => c.range[0])), Math.max(...curves.map((c) => c.range[1]))];
  const above = resampled ? 62 : 0;
  const [width, height, left, right, top, bottom] = narrow.matches
    ? [360, 230 + above, 44, 6, 10 + above, 38] : [860, 280 + above, 56, 10, 12 + above, 40];
  const [least, most] = [Math.min(0, ...curves.map((c) => c.limits[0])), Math.max(...curves.map((c) => c.limits[1]))];
  const room = 0.06 * (most - least || 1);
  const x = between(...range, left, width - right);
  const scale = between(least - room, most + room, height - bottom, top);
  /* Values beyond the axis are at its end. */
  const y = (value) => Math.min(height - bottom, Math.max(top, scale(value)));
  const chart = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img" });
  chart.setAttribute("aria-label", `Spectrum of ${data.products[n]}`);
  for (const [tick, label] of labelled(ticks(...range, width / 90))) {
    chart.append(draw("line", { x1: x(tick), x2: x(tick), y1: top, y2: height - bottom, class: "grid" }));
    chart.append(draw("text", { x: x(tick), y: height - bottom + 14, class: "middle" }, label));
  }
  for (const [tick, label] of labelled(ticks(least - room, most + room, 5))) {
    chart.append(draw("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }));
    chart.append(draw("text", { x: left - 5, y: y(tick) + 4, class: "end" }, label));
  }
  /* The first order is the brightest: above the noise of others. */
  for (const [k, { values, errors, waves, order }] of [...curves.entries()].reverse()) {
    const xs = waves.map(x);
    const bars = xs.map((at, k) => Number.isNaN(values[k] + errors[k]) ? ""
      : `M${at.toFixed(1)} ${y(values[k] - errors[k]).toFixed(1)}V${y(values[k] + errors[k]).toFixed(1)}`);
    const wide = Math.max(1, (x(waves.at(-1)) - x(waves[0])) / values.length);
    chart.append(draw("path", { d: bars.join(""), class: `error order-${k}`, "stroke-width": wide.toFixed(2) }));
    chart.append(draw("path", { d: path(xs, values.map(y)), class: `flux order-${k}` }));
    if (data.spectra[n].length > 1) chart.append(draw("text", { x: left + 8 + 70 * k, y: top + 12, class: `order-${k}` }, `order ${order}`));
  }
  /* Without wavelengths, the axis counts columns, from one. */
  const axis = range[0] === 1 && Number.isInteger(range[1]) ? "column" : "wavelength (µm)";
  chart.append(draw("text", { x: (left + width - right) / 2, y: height - 6, class: "middle" }, axis));
  if (resampled) drawImage(chart, resampled, x, 2, above);
  chart.append(draw("g", { class: "lines" }));
  chart.dataset.axis = JSON.stringify([...range, left, width - right, 2, height - bottom]);
  const flux = draw("text", { x: 0, y: 0, class: "middle" }, `flux (${unit || "no unit"})`);
  flux.setAttribute("transform", `translate(11 ${(top + height - bottom) / 2}) rotate(-90)`);
  chart.append(flux);
  return chart;
}

/* An image on a wavelength axis, with its aperture, or marks beside the row expected of the source. */
function drawImage(chart, { png, range, rows }, x, top, height) {
  const [start, end] = range.map(x);
  const box = { x: start, y: top, width: end - start, height };
  chart.append(draw("rect", { ...box, class: "missing" }));
  chart.append(draw("image", { ...box, href: `data:image/png;base64,${png}`, preserveAspectRatio: "none" }));
  for (const row of rows) {
    const y = top + height * (1 - row);
    if (rows.length > 1) chart.append(draw("line", { x1: start, x2: end, y1: y, y2: y, class: "aperture" }));
    else chart.append(draw("path", { d: `M${start} ${y}l-6 -4v8zM${end} ${y}l6 -4v8z`, class: "mark" }));
  }
}

/* Lines of galaxies, in vacuum, µm. */
const LINES = {
  "Lyα": 0.121567, "[O II]": 0.372848, "Hγ": 0.434168, "Hβ": 0.486268, "[O III]": 0.500824, "Hα": 0.656461,
  "[S II]": 0.672548, "[S III]": 0.953321, "He I": 1.083331, "Paβ": 1.282159, "Paα": 1.875613, "Brβ": 2.625868, "Brα": 4.052279,
};

function drawLines(chart, z) {
  const [low, high, left, right, top, bottom] = JSON.parse(chart.dataset.axis);
  const x = between(low, high, left, right);
  const shown = Object.entries(LINES).filter(([, wave]) => wave * (1 + z) > low && wave * (1 + z) < high);
  chart.querySelector(".lines").replaceChildren(...shown.flatMap(([name, wave]) => {
    const at = x(wave * (1 + z));
    return [draw("line", { x1: at, x2: at, y1: top, y2: bottom }), draw("text", { x: at + 3, y: bottom - 4 }, name)];
  }));
}

/* A slider of redshift, and a field for its digits; lines are shown once it is moved, none without a digit. */
function redshift(charts) {
  const limits = { min: 0, max: 15, step: 0.001 };
  const slider = make("input", "", { ...limits, type: "range", value: 0, "aria-label": "redshift" });
  const field = make("input", "", { ...limits, type: "number", placeholder: "z", "aria-label": "redshift, in digits" });
  const move = (from, to) => {
    to.value = from.value;
    for (const chart of charts) drawLines(chart, Number(from.value || NaN));
  };
  slider.addEventListener("input", () => move(slider, field));
  field.addEventListener("input", () => move(field, slider));
  for (const input of [slider, field]) input.addEventListener("keydown", (event) => event.stopPropagation());
  const line = make("p", "redshift ", { class: "redshift" });
  line.append(slider, field);
  return line;
}

/* The scale of greys, asinh: black, zero and white. */
function greys({ grey: [low, high, width], unit }) {
  const at = (value) => (Math.asinh(value / width) - Math.asinh(low / width)) / (Math.asinh(high / width) - Math.asinh(low / width));
  const bar = make("p", `${low} `, { class: "greys" });
  const scale = draw("svg", { viewBox: "0 0 120 10", class: "grey" });
  for (let k = 0; k < 15; k += 1) scale.append(draw("rect", { x: 8 * k, y: 0, width: 8.1, height: 10, fill: `hsl(0 0% ${(100 * k) / 14}%)` }));
  if (low < 0 && high > 0) scale.append(draw("line", { x1: 120 * at(0), x2: 120 * at(0), y1: 0, y2: 10, class: "aperture" }));
  bar.append(scale, ` ${high} ${unit}${low < 0 && high > 0 ? ", zero dashed" : ""}`);
  return bar;
}

/* A cut-out with its axis. */
function strip({ png, range, rows, grey }, columns) {
  const chart = draw("svg", { viewBox: "0 0 420 74", class: "plot strip" });
  const limits = range || [1, columns];
  const x = between(...limits, 8, 412);
  drawImage(chart, { png, range: limits, rows }, x, 2, 54);
  const values = labelled(ticks(...limits, 6));
  values.forEach(([tick, label], k) => {
    const text = k === values.length - 1 ? `${label} ${range ? "µm" : "px"}` : label;
    chart.append(draw("line", { x1: x(tick), x2: x(tick), y1: 56, y2: 59, class: "grid" }));
    chart.append(draw("text", { x: Math.min(x(tick), 396), y: 70, class: "middle" }, text));
  });
  return chart;
}

function cutouts(n) {
  const strips = make("div", "", { class: "strips" });
  data.images[n].forEach((image, k) => {
    const entry = data.entries[n][k];
    const name = entry && entry[0] >= 0 ? data.exposures[entry[0]] : `entry ${k + 1}`;
    const figure = make("figure");
    const chart = strip(image, entry ? entry.at(-2) : 0);
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", `Cut-out of ${name}`);
    figure.append(make("figcaption", `${k + 1}  ${name}${entry && entry.at(-1) > 1 ? `, order ${entry.at(-1)}` : ""}`), chart);
    const earlier = data.images[n].findIndex((one) => one.unit === image.unit);
    if (earlier === k) figure.append(greys(image));
    strips.append(figure);
  });
  const more = data.entries[n].length - data.images[n].length;
  if (data.images[n].length && more > 0) {
    strips.append(make("p", `${more} more: see the quick look (snakemake quicklook)`, { class: "lead" }));
  }
  return strips;
}

function entries(n) {
  const table = make("table");
  const head = make("tr");
  for (const name of ["", "exposure", "detector", "nod", "time (s)", "slit", "shutters", "BUNIT", "rows x columns", "order"]) {
    head.append(make("th", name));
  }
  table.append(head);
  data.entries[n].forEach(([exposure, slit, shutters, unit, rows, columns, order], k) => {
    const row = make("tr");
    const at = (list) => (exposure >= 0 ? list[exposure] : "");
    const cells = [k + 1, ...[data.exposures, data.detectors, data.nods, data.times].map(at), slit, shutters, unit, `${rows} x ${columns}`, order || ""];
    row.append(...cells.map((cell) => make("td", `${cell}`)));
    table.append(row);
  });
  const scroll = make("div", "", { class: "scroll" });
  scroll.append(table);
  return scroll;
}

function files(n) {
  const name = data.products[n];
  const list = make("p", "", { class: "files" });
  const link = (text, href) => make("a", text, { href });
  if (data.marks[n].includes("missing")) list.append(make("span", "missing", { class: "gone" }));
  else list.append(link("product", `products/${encodeURIComponent(name)}_cal.fits`));
  const spectrum = { current: "spectrum (x1d)", earlier: "spectrum of an earlier product (x1d)" }[data.extracted[n]];
  if (spectrum) list.append(link(spectrum, `spec3/${encodeURIComponent(name)}_x1d.fits`));
  if (data.quicklooks[n]) {
    const button = make("button", "quick look", { type: "button" });
    button.addEventListener("click", () => openQuicklook(n));
    list.append(button);
  }
  return list;
}

let openedView = 0;

function openView(n) {
  openedView = n;
  const name = data.products[n];
  const list = make("dl", "", { class: "facts small" });
  data.columns.forEach((column, index) => {
    if (!data.rows[n][index]) return;
    const pair = make("div");
    pair.append(make("dt", column.label), make("dd", data.rows[n][index]));
    list.append(pair);
  });
  const parts = [make("h3", name), list];
  if (data.spectra[n].length) {
    const title = data.extracted[n] === "current" ? "Extracted spectrum (x1d)" : "Sum of five rows along the trace, all entries";
    const charts = plots(n);
    const resampled = data.resampled[n];
    const above = resampled.length ? "; above it the resampled cut-out (s2d) with the aperture" : "";
    parts.push(make("h4", title + above), ...resampled.map(greys), ...charts, redshift(charts));
  }
  if (data.images[n].length) parts.push(make("h4", "Cut-outs"), cutouts(n));
  if (data.entries[n].length) parts.push(make("h4", "Entries"), entries(n));
  const code = `from stdatamodels.jwst import datamodels; product = datamodels.open("results/products/${name}_cal.fits")`;
  parts.push(make("h4", "Files"), files(n), make("pre", code));
  element("view-body").replaceChildren(...parts);
  if (!element("view").open) element("view").showModal();
  element("view-body").scrollTop = 0;
}

function nextView(step) {
  if (state.view.length) openView(neighbour(state.view, openedView, step));
}
