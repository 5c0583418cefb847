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
    element("coverage").scrollIntoView();
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
element("zoom-in").addEventListener("click", () => zoom(1 / 4));
element("zoom-out").addEventListener("click", () => zoom(4));
element("zoom-all").addEventListener("click", () => zoom(Infinity));
map.addEventListener("pointermove", pointAt);
map.addEventListener("pointerdown", pointAt);
map.addEventListener("keydown", moveCursor);
addEventListener("resize", drawMap);
narrow.addEventListener("change", () => choose());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
makeHead();
choose();
