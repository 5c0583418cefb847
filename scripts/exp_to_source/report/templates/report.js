"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 44rem)");
const texts = data.rows.map((row, n) => `${row.join("\n")}\n${data.products[n]}`.toLowerCase());

/* What is shown: numbers of sources in order, the page of the table, the window of the map. */
const state = { view: [], column: -1, falling: false, page: 0, first: 0, count: 0, at: null, picked: null };

function make(tag, content = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = content;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/* ---- Which sources, in which order ---- */

function choose() {
  const words = element("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const only = element("only").value;
  state.view = [...data.rows.keys()].filter(
    (n) => (!only || data.marks[n].includes(only)) && words.every((word) => texts[n].includes(word)),
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
  return (state.falling ? -order : order) || one - other;
}

function sortBy(column) {
  state.falling = state.column === column && !state.falling;
  state.column = column;
  element("order").value = column;
  choose();
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
    const order = state.falling ? "descending" : "ascending";
    if (column === state.column) head.setAttribute("aria-sort", order);
    else head.removeAttribute("aria-sort");
  }
  const all = data.rows.length.toLocaleString("en");
  const some = state.view.length.toLocaleString("en");
  element("count").textContent = some === all ? `${all} sources` : `${some} of ${all} sources`;
  element("page").textContent = shown.length
    ? `${start + 1} to ${start + shown.length} of ${some}`
    : "No source is like that";
  element("previous").disabled = state.page === 0;
  element("next").disabled = state.page + 1 >= pages;
}

function tableRow(n) {
  const row = make("tr", "", n === state.picked ? { class: "picked" } : {});
  data.columns.forEach((column, place) => {
    const attributes = { "data-label": column.label };
    if (column.numeric) attributes.class = "numeric";
    row.append(make("td", data.rows[n][place], attributes));
  });
  const view = make("td", "", { "data-label": "view", class: "wide view" });
  const open = make("button", "", { type: "button", "aria-label": `View ${data.products[n]}` });
  if (data.images[n].length) open.append(picture(data.images[n][0], ""));
  if (data.spectra[n]) open.append(sparkline(n));
  if (!open.childNodes.length) open.textContent = "View";
  open.addEventListener("click", () => openView(n));
  view.append(open);
  row.append(view);
  const product = make("td", "", { "data-label": "product", class: "wide" });
  const name = data.products[n];
  if (data.marks[n].includes("missing")) {
    product.append(`${name} `, make("span", "not made", { class: "gone" }));
  } else {
    product.append(make("a", name, { href: `products/${encodeURIComponent(name)}_cal.fits` }));
  }
  row.append(product);
  return row;
}

function makeHead() {
  const heads = data.columns.map((column, place) => {
    const head = make("th", "", { scope: "col", class: column.numeric ? "numeric" : "" });
    const button = make("button", column.label, { type: "button" });
    button.addEventListener("click", () => sortBy(place));
    head.append(button);
    return head;
  });
  heads.push(make("th", "cut-out, spectrum", { scope: "col" }), make("th", "product", { scope: "col" }));
  element("table").tHead.rows[0].replaceChildren(...heads);
  const choices = data.columns.map((column, place) => make("option", column.label, { value: place }));
  element("order").replaceChildren(make("option", "product", { value: -1 }), ...choices);
}

function turnPage(step) {
  state.page += step;
  showTable();
  element("sources").scrollIntoView();
}

/* The rows that are chosen, as a file of comma-separated values. */
function saveTable() {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const head = [...data.columns.map((column) => column.label), "product"];
  const rows = state.view.map((n) => [...data.rows[n], data.products[n]]);
  const text = [head, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n");
  const link = make("a", "", { download: "sources.csv" });
  link.href = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
  link.click();
  URL.revokeObjectURL(link.href);
}

/* ---- Quick looks ---- */

let looked = 0;

function openLook(n) {
  looked = n;
  const look = data.looks[n];
  const name = data.products[n];
  const image = element("look").querySelector("img");
  image.src = look === 1 ? `quicklook/${encodeURIComponent(name)}.png` : `data:image/png;base64,${look}`;
  image.alt = `Cut-outs of ${name}`;
  if (!element("look").open) element("look").showModal();
}

function nextLook(step) {
  const some = state.view.filter((n) => data.looks[n]);
  openLook(some[(some.indexOf(looked) + step + some.length) % some.length]);
}
