// token_grid, token_strip, attention: drawn as HTML, because text belongs in text.

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

const tip = make("div", "tip");
function showTip(event, lines) {
  tip.replaceChildren(...lines.map((line, i) => make("div", i === 0 ? "strong" : "", line)));
  tip.style.display = "block";
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
  tip.style.top = Math.max(4, event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18) + "px";
}
function tips(element, lines) {
  element.addEventListener("mousemove", event => showTip(event, lines()));
  element.addEventListener("mouseleave", () => { tip.style.display = "none"; });
}

// The texts of a cell of the figure's table: dimensions it shares with the cell are fixed, "rank" and others are listed.
function tableLines(figure, panel, at, limit) {
  const dims = figure.table_dims;
  const own = dims.map(d => d.name).filter(name => !panel.dim(name));
  const steps = strides(dims);
  let list = [{}];
  for (const name of own) {
    const dim = dims.find(d => d.name === name);
    list = list.flatMap(free => Array.from({length: dim.size}, (_, i) => ({...free, [name]: i})));
  }
  return list.slice(0, limit).map(free => {
    const all = {...at, ...free};
    const offset = dims.reduce((sum, dim, i) => sum + (all[dim.name] || 0) * steps[i], 0);
    return figure.columns.map(c => ({column: c, show: c.show && c.show[offset], exact: c.exact && c.exact[offset],
                                     number: c.data ? (c.values = c.values || decode(c.data))[offset] : undefined}));
  });
}

function drawTokenGrid(box, figure, panel, at, limits) {
  const x = panel.dim(figure.roles.x), y = panel.dim(figure.roles.y);
  const table = make("table", "grid");
  const order = y ? Array.from({length: y.size}, (_, j) => (figure.origin === "upper" ? j : y.size - 1 - j)) : [0];
  for (const j of order) {
    const row = table.insertRow();
    row.append(make("th", "row", y ? y.name + " " + y.show[j] : ""));
    for (let i = 0; i < (x ? x.size : 1); i++) {
      const here = {...at, [figure.roles.x]: i, [figure.roles.y]: j};
      const value = panel.data[panel.offset(here)];
      const cell = row.insertCell();
      const best = figure.text ? tableLines(figure, panel, here, 1)[0].find(c => c.column.name === figure.text) : null;
      cell.append(make("span", "", best ? (best.show ?? digits(best.number)) : digits(value)));
      paint(cell, value, limits);
      tips(cell, () => [
        digits(value) + (figure.unit ? " " + figure.unit : "") + "  " + figure.name.split("/").pop(),
        [y && coordinate(y, j), x && coordinate(x, i)].filter(Boolean).join(" · "),
        ...tableLines(figure, panel, here, 10).map(line => line.map(c => c.exact ?? digits(c.number)).join("   ")),
      ]);
    }
  }
  const foot = table.createTFoot().insertRow();
  foot.append(make("th", "row", ""));
  if (x) x.show.forEach((show, i) => {
    const head = make("th", "column", show);
    tips(head, () => [coordinate(x, i)]);
    foot.append(head);
  });
  box.replaceChildren(table);
  box.classList.add("scrolls");
}

function tokenLine(dim, valueAt, limits, name, onHover) {
  const line = make("div", "tokens");
  const spans = dim.show.map((show, i) => {
    const span = make("span", "token", show.replace(/_\d+$/, ""));
    paint(span, valueAt(i), limits);
    tips(span, () => [digits(valueAt(i)) + "  " + name, coordinate(dim, i)]);
    if (onHover) span.addEventListener("mouseenter", () => onHover(i, spans));
    line.append(span);
    return span;
  });
  return line;
}

function drawTokenStrip(box, figure, panel, at, limits) {
  const x = panel.dim(figure.roles.x), y = panel.dim(figure.roles.y);
  const rows = y ? y.show.map((show, j) => [y.name + " " + show, {...at, [y.name]: j}]) : [["", at]];
  box.replaceChildren(...rows.map(([label, here]) => {
    const row = make("div", "strip");
    if (label) row.append(make("span", "label", label));
    const values = panel.line(figure.roles.x, here);
    row.append(tokenLine(x, i => values[i], limits, figure.name.split("/").pop()));
    return row;
  }));
}

// A small picture of one pattern: destination down, source across.
function thumbnail(rows, limits) {
  const canvas = make("canvas");
  canvas.width = rows[0].length;
  canvas.height = rows.length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  rows.forEach((row, j) => row.forEach((v, i) => {
    const at = (j * canvas.width + i) * 4;
    const [r, g, b] = Number.isFinite(v) ? rgb(v, limits) : [160, 160, 160];
    image.data.set([r, g, b, 255], at);
  }));
  context.putImageData(image, 0, 0);
  return canvas;
}

function drawAttention(box, figure, panel, at, limits, extent) {
  const {x: xName, y: yName, facet} = figure.roles;
  const heads = combinations(panel, facet);
  const name = head => facet.map(f => f + " " + panel.dim(f).show[head[f] || 0]).join(", ");
  const gallery = make("div", "gallery"), large = make("div", "large"), heading = make("div", "panel-title"), words = make("div");
  const show = head => {
    const here = {...at, ...head};
    box.dataset.head = JSON.stringify(head);
    [...gallery.children].forEach(button => button.setAttribute("aria-pressed", String(button.dataset.head === JSON.stringify(head))));
    heading.textContent = (name(head) || "pattern") + ": row attends to column";
    const side = Math.min(extent.width, Math.max(320, panel.dim(xName).size * 26 + 120));
    drawHeatmap(large, {...figure, origin: "upper"}, panel, here, limits, {width: side});
    const dest = panel.dim(yName), src = panel.dim(xName);
    const rows = panel.rows(xName, yName, here);
    const own = make("div", "hint", "Point at a token: the others show how much it attends to them.");
    let shown = dest.size - 1;
    const line = tokenLine(src, i => rows[shown][i], limits, "attention from " + shown, (j, spans) => {
      shown = Math.min(j, dest.size - 1);
      spans.forEach((span, i) => { paint(span, rows[shown][i], limits); span.classList.toggle("here", i === j); });
    });
    words.replaceChildren(own, line);
  };
  if (heads.length > 1) for (const head of heads) {
    const button = make("button", "head");
    button.dataset.head = JSON.stringify(head);
    button.title = name(head);
    button.append(thumbnail(panel.rows(xName, yName, {...at, ...head}), limits), make("span", "", facet.map(f => f[0].toUpperCase() + panel.dim(f).show[head[f]]).join("")));
    button.addEventListener("click", () => show(head));
    gallery.append(button);
  }
  box.replaceChildren(gallery, heading, large, words);
  show(box.dataset.head ? JSON.parse(box.dataset.head) : heads[0]);
}
