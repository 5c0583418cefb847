"use strict";

/* What buttons, fields and keys do; first drawing. */

element("query").addEventListener("input", choose);
element("only").addEventListener("change", choose);
element("order").addEventListener("change", (event) => {
  state.column = Number(event.target.value);
  state.falling = false;
  choose();
});
for (const button of document.querySelectorAll("[data-only]")) {
  button.addEventListener("click", () => {
    element("only").value = button.dataset.only;
    element("query").value = "";
    choose();
    element("sources").scrollIntoView();
  });
}
element("previous").addEventListener("click", () => turnPage(-1));
element("next").addEventListener("click", () => turnPage(1));
element("look-previous").addEventListener("click", () => nextLook(-1));
element("look-next").addEventListener("click", () => nextLook(1));
element("look").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") nextLook(-1);
  if (event.key === "ArrowRight") nextLook(1);
});
element("view-previous").addEventListener("click", () => nextView(-1));
element("view-next").addEventListener("click", () => nextView(1));
element("view").addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") nextView(-1);
  if (event.key === "ArrowRight") nextView(1);
});
element("csv").addEventListener("click", saveTable);
if (placed.length) {
  element("shade").addEventListener("change", drawSky);
  sky.addEventListener("pointermove", tellSky);
  sky.addEventListener("click", (event) => goTo(nearest(event)));
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
narrow.addEventListener("change", () => choose());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
makeHead();
choose();
