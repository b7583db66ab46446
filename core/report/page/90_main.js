// Draws figure after figure, so that the first is there at once; again when width or colours change.

document.body.append(tip);
const figures = [];
const waiting = [...document.querySelectorAll("section.figure[data-plot]")];
let failed = 0;

function next() {
  const section = waiting.shift();
  if (!section) {
    document.documentElement.dataset.rendered = String(figures.length);
    document.documentElement.dataset.failed = String(failed);
    return;
  }
  try {
    figures.push(new Figure(section));
  } catch (error) {
    failed += 1;
    section.querySelector(".stage").textContent = "This figure could not be drawn: " + error.message;
    console.error(error);
  }
  setTimeout(next, 0);
}

const again = () => { for (const figure of figures) figure.build(); };
let width = innerWidth, pending = 0;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  clearTimeout(pending);
  pending = setTimeout(again, 150);
});
darkQuery.addEventListener("change", again);
addEventListener("beforeprint", () => { printing = true; again(); });
addEventListener("afterprint", () => { printing = false; again(); });
next();
