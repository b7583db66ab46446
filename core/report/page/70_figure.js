// One figure: its panels, drop-downs, slider, legend and copy button.

const draws = {
  heatmap: drawHeatmap, surface: drawSurface, token_grid: drawTokenGrid, token_strip: drawTokenStrip, attention: drawAttention, histogram: drawHistogram,
  line: (...a) => drawSeries(...a, "line"), bar: (...a) => drawSeries(...a, "bar"),
};
const COLOURED = new Set(["heatmap", "surface", "token_grid", "token_strip", "attention"]);
const kindOf = figure => (figure.kind === "frames" ? figure.each : figure.kind);

class Figure {
  constructor(section) {
    this.section = section;
    this.json = JSON.parse(section.querySelector("script.data").textContent);
    this.stage = section.querySelector(".stage");
    this.panels = this.json.panels.map(p => new Panel(p));
    this.at = {};
    this.boxes = [];
    this.timer = null;
    section.querySelector("button.copy")?.addEventListener("click", event => this.copy(event.target));
    if (this.json.roles && this.panels.length) this.addControls();
    this.build();
  }

  addControls() {
    const {select, slider} = this.json.roles;
    const bar = make("div", "controls");
    for (const name of select) {
      const dim = this.panels[0].dim(name);
      if (!dim || dim.size < 2) continue;
      const label = make("label", "", dim.name + " "), menu = make("select");
      dim.show.forEach((show, i) => { const option = make("option", "", show); option.value = i; menu.append(option); });
      menu.addEventListener("change", () => { this.at[name] = Number(menu.value); this.draw(); });
      label.append(menu);
      bar.append(label);
    }
    // Panels of different depth share a slider: the longest counts, the others stay at their end.
    const dim = slider && this.panels.map(p => p.dim(slider)).reduce((a, b) => (b && (!a || b.size > a.size) ? b : a));
    if (dim) this.addSlider(bar, dim);
    if (bar.childElementCount) this.stage.before(bar);
  }

  addSlider(bar, dim) {
    const play = make("button", "play", "▶ Play"), range = make("input"), now = make("output", "", "");
    Object.assign(range, {type: "range", min: 0, max: dim.size - 1, step: 1, value: 0});
    range.setAttribute("aria-label", dim.name);
    const go = i => {
      this.at[dim.name] = i;
      range.value = i;
      now.textContent = dim.name + " " + dim.show[i];
      if (this.boxes.length) this.draw();
    };
    range.addEventListener("input", () => go(Number(range.value)));
    const stop = () => { clearInterval(this.timer); this.timer = null; play.textContent = "▶ Play"; };
    play.addEventListener("click", () => {
      if (this.timer) return stop();
      if (Number(range.value) === dim.size - 1) go(0);
      play.textContent = "⏸ Pause";
      this.timer = setInterval(() => {
        const next = Number(range.value) + 1;
        if (next >= dim.size) return stop();
        go(next);
      }, 700);
    });
    go(0);
    bar.append(play, range, now);
  }

  limits(at) {
    return this.json.limits[this.json.limits_by ? at[this.json.limits_by] || 0 : 0];
  }

  // One box per panel and facet. A table is in the page already.
  build() {
    if (this.json.kind === "table") {
      this.section.dataset.rendered = "1";
      return;
    }
    const attention = this.json.kind === "attention";
    this.stage.replaceChildren();
    this.boxes = [];
    if (this.json.kind === "scatter") this.boxes = [{node: this.addBox("", null), at: {}}];
    for (const panel of this.panels) {
      for (const facet of attention ? [{}] : combinations(panel, this.json.roles.facet)) {
        const names = Object.entries(facet).filter(([name]) => panel.dim(name).size > 1 || this.panels.length === 1 && name === "metric")
          .map(([name, i]) => (panel.dim(name).numeric ? name + " " : "") + panel.dim(name).show[i]);
        const title = [panel.label, ...names].filter(Boolean).join(" · ");
        this.boxes.push({node: this.addBox(title, facet[this.json.limits_by] !== undefined ? this.limits(facet) : null), panel, at: facet});
      }
    }
    this.stage.dataset.count = Math.min(this.boxes.length, 4);
    // One legend for all panels; where each facet is a metric with its own unit, one each.
    this.shared = null;
    if (COLOURED.has(kindOf(this.json)) && this.panels.length && !this.json.roles.facet.includes(this.json.limits_by)) {
      this.shared = this.legend(this.limits(this.at));
      this.stage.prepend(this.shared);
    }
    this.draw();
  }

  addBox(title, limits) {
    const outer = make("div", "panel"), head = make("div", "panel-head"), node = make("div", "box");
    if (title) head.append(make("span", "panel-title", title));
    if (limits && COLOURED.has(kindOf(this.json))) head.append(this.legend(limits));
    outer.append(head, node);
    this.stage.append(outer);
    return node;
  }

  legend(limits) {
    const bar = make("div", "legend"), ramp = make("span", "ramp");
    ramp.style.background = `linear-gradient(to right, ${STOPS[limits.scale].join(",")})`;
    const middle = limits.scale === "diverging" ? (limits.low + limits.high) / 2 : null;
    bar.append(make("span", "", digits(limits.low)), ramp, make("span", "", digits(limits.high) + (this.json.unit ? " " + this.json.unit : "")));
    if (middle) bar.append(make("span", "soft", "white: " + digits(middle)));
    return bar;
  }

  draw() {
    if (this.shared) {
      const legend = this.legend(this.limits(this.at));
      this.shared.replaceWith(legend);
      this.shared = legend;
    }
    for (const {node, panel, at} of this.boxes) {
      const extent = {width: Math.floor(node.parentElement.clientWidth)};
      if (this.json.kind === "scatter") drawScatter(node, this.json, extent);
      else draws[kindOf(this.json)](node, this.json, panel, {...this.at, ...at}, this.limits({...this.at, ...at}), extent);
    }
    this.section.dataset.rendered = String(this.boxes.length);
  }

  // Long format: one line per cell, exact labels.
  tsv() {
    const lines = [];
    for (const panel of this.panels) {
      const names = panel.dims.map(d => d.name);
      lines.push([...(panel.label ? ["panel"] : []), ...names, this.json.name.split("/").pop()].join("\t"));
      for (const at of combinations(panel, names)) {
        const labels = names.map(n => panel.dim(n)).map(d => String(d.exact[at[d.name]]));
        lines.push([...(panel.label ? [panel.label] : []), ...labels, String(Number(panel.data[panel.offset(at)].toPrecision(7)))].join("\t"));
      }
    }
    if (!this.panels.length && this.json.columns.length) {
      lines.push(this.json.columns.map(c => c.name).join("\t"));
      const count = this.json.columns[0].exact ? this.json.columns[0].exact.length : decode(this.json.columns[0].data).length;
      for (let i = 0; i < count; i++) lines.push(this.json.columns.map(c => (c.exact ? c.exact[i] : String(decode(c.data)[i]))).join("\t"));
    }
    return lines.join("\n") + "\n";
  }

  copy(button) {
    const done = () => { button.textContent = "copied"; setTimeout(() => { button.textContent = "copy as TSV"; }, 1200); };
    const text = this.tsv();
    const byHand = () => {  // file:// pages may have no clipboard interface
      const area = make("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      done();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand);
    else byHand();
  }
}
