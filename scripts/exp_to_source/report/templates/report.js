"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 44rem)");
const texts = data.rows.map((row, n) => `${row.join("\n")}\n${data.products[n]}`.toLowerCase());

/* Shown: indices of sources in order, the page of the table, the window of the map. */
const state = { view: [], column: -1, descending: false, page: 0, first: 0, count: 0, at: null, picked: null };

function make(tag, content = "", attributes = {}, node = document.createElement(tag)) {
  node.textContent = content;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

const rootStyle = getComputedStyle(document.documentElement);
const colour = (name) => rootStyle.getPropertyValue(`--${name}`).trim();

/* Set the size of a canvas in pixels of the page; return its context, which draws in these. */
function resizeCanvas(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  return ctx;
}

/* ---- Filter and order of the sources ---- */

function updateView() {
  const words = element("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const filter = element("filter").value;
  state.view = [...data.rows.keys()].filter(
    (n) => (!filter || data.marks[n].includes(filter)) && words.every((word) => texts[n].includes(word)),
  );
  if (state.column >= 0) state.view.sort(compare);
  Object.assign(state, { page: 0, first: 0, count: state.view.length, at: null });
  showTable();
  drawSky();
  drawMap();
}

function compare(one, other) {
  const [a, b] = [one, other].map((n) => data.rows[n][state.column]);
  const numeric = data.columns[state.column].numeric;
  const order = numeric ? a - b : a.localeCompare(b, "en", { numeric: true });
  return (state.descending ? -order : order) || one - other;
}

function sortBy(column) {
  state.descending = state.column === column && !state.descending;
  state.column = column;
  element("order").value = column;
  updateView();
}

/* ---- Table ---- */

const pageSize = () => (narrow.matches ? 20 : 50);

function showTable() {
  const size = pageSize();
  const pages = Math.max(1, Math.ceil(state.view.length / size));
  const start = state.page * size;
  const shown = state.view.slice(start, start + size);
  element("table").tBodies[0].replaceChildren(...shown.map(tableRow));
  for (const [column, head] of [...element("table").tHead.rows[0].cells].entries()) {
    const order = state.descending ? "descending" : "ascending";
    if (column === state.column) head.setAttribute("aria-sort", order);
    else head.removeAttribute("aria-sort");
  }
  const total = data.rows.length.toLocaleString("en");
  const some = state.view.length.toLocaleString("en");
  element("count").textContent = some === total ? `${total} sources` : `${some} of ${total} sources`;
  element("page").textContent = shown.length
    ? `${start + 1} to ${start + shown.length} of ${some}`
    : "No source matches";
  element("previous").disabled = state.page === 0;
  element("next").disabled = state.page + 1 >= pages;
}

function tableRow(n) {
  const row = make("tr", "", n === state.picked ? { class: "picked" } : {});
  data.columns.forEach((column, index) => {
    const attributes = { "data-label": column.label };
    if (column.numeric) attributes.class = "numeric";
    row.append(make("td", data.rows[n][index], attributes));
  });
  const view = make("td", "", { "data-label": "view", class: "wide view" });
  const open = make("button", "", { type: "button", "aria-label": `View ${data.products[n]}` });
  if (data.images[n].length) open.append(picture(data.images[n][0].png, ""));
  if (data.spectra[n].length) open.append(sparkline(n));
  if (!open.childNodes.length) open.textContent = "View";
  open.addEventListener("click", () => openView(n));
  view.append(open);
  row.append(view);
  const product = make("td", "", { "data-label": "product", class: "wide" });
  const name = data.products[n];
  if (data.marks[n].includes("missing")) {
    product.append(`${name} `, make("span", "missing", { class: "gone" }));
  } else {
    const link = make("a", "", { href: `products/${encodeURIComponent(name)}_cal.fits` });
    /* Long names are broken where their parts end. */
    link.append(...name.split(/(?<=_)/).flatMap((part) => [part, make("wbr")]));
    product.append(link);
  }
  row.append(product);
  return row;
}

function makeHead() {
  const heads = data.columns.map((column, index) => {
    const head = make("th", "", { scope: "col", class: column.numeric ? "numeric" : "" });
    const button = make("button", column.label, { type: "button" });
    button.addEventListener("click", () => sortBy(index));
    head.append(button);
    return head;
  });
  heads.push(make("th", "cut-out, spectrum", { scope: "col" }), make("th", "product", { scope: "col" }));
  element("table").tHead.rows[0].replaceChildren(...heads);
  const choices = data.columns.map((column, index) => make("option", column.label, { value: index }));
  element("order").replaceChildren(make("option", "product", { value: -1 }), ...choices);
}

function turnPage(step) {
  state.page += step;
  showTable();
  element("sources").scrollIntoView();
}

/* The rows of the table, as a file of comma-separated values. */
function saveTable() {
  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const head = [...data.columns.map((column) => column.label), "product"];
  const rows = state.view.map((n) => [...data.rows[n], data.products[n]]);
  const text = [head, ...rows].map((row) => row.map(quote).join(",")).join("\r\n");
  const link = make("a", "", { download: "sources.csv" });
  link.href = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  link.click();
  URL.revokeObjectURL(link.href);
}

/* ---- Quick looks ---- */

let openedQuicklook = 0;

function openQuicklook(n) {
  openedQuicklook = n;
  const bytes = data.quicklooks[n];
  const name = data.products[n];
  const image = element("quicklook").querySelector("img");
  image.src = bytes === 1 ? `quicklook/${encodeURIComponent(name)}.png` : `data:image/png;base64,${bytes}`;
  image.alt = `Cut-outs of ${name}`;
  if (!element("quicklook").open) element("quicklook").showModal();
}

/* The source so many steps after one; the first follows the last. */
const neighbour = (sources, n, step) => sources.at((sources.indexOf(n) + step) % sources.length);

function nextQuicklook(step) {
  openQuicklook(neighbour(state.view.filter((n) => data.quicklooks[n]), openedQuicklook, step));
}
