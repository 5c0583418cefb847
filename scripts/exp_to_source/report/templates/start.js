"use strict";

/* Events of buttons, fields and keys; first drawing. */

element("query").addEventListener("input", updateView);
element("filter").addEventListener("change", updateView);
element("order").addEventListener("change", (event) => {
  state.column = Number(event.target.value);
  state.descending = false;
  updateView();
});
for (const button of document.querySelectorAll("[data-filter]")) {
  button.addEventListener("click", () => {
    element("filter").value = button.dataset.filter;
    element("query").value = "";
    updateView();
    element("sources").scrollIntoView();
  });
}
element("previous").addEventListener("click", () => turnPage(-1));
element("next").addEventListener("click", () => turnPage(1));
for (const [dialog, move] of Object.entries({ quicklook: nextQuicklook, view: nextView })) {
  element(`${dialog}-previous`).addEventListener("click", () => move(-1));
  element(`${dialog}-next`).addEventListener("click", () => move(1));
  element(dialog).addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  });
}
element("csv").addEventListener("click", saveTable);
if (located.length) {
  element("shade").addEventListener("change", drawSky);
  sky.addEventListener("pointermove", showTooltip);
  sky.addEventListener("click", (event) => goTo(sourcesAt(event)));
} else {
  element("sky-section").hidden = true;
}
element("coverage").querySelector("details").addEventListener("toggle", drawMap);
element("zoom-in").addEventListener("click", () => zoom(1 / 4));
element("zoom-out").addEventListener("click", () => zoom(4));
element("zoom-all").addEventListener("click", () => zoom(Infinity));
map.addEventListener("pointermove", pointAt);
map.addEventListener("pointerdown", pointAt);
map.addEventListener("keydown", moveCursor);
const drawAll = () => {
  drawSky();
  drawMap();
};
addEventListener("resize", drawAll);
narrow.addEventListener("change", () => updateView());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
makeHead();
updateView();
