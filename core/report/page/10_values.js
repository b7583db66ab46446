// Values, labels and slices. Nothing here draws.

// float32 values, little-endian, in base64.
function decode(text) {
  const bytes = atob(text);
  const buffer = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) buffer[i] = bytes.charCodeAt(i);
  return new Float32Array(buffer.buffer);
}

// Three significant digits; integers in full; what is not finite by name.
function digits(value) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+inf" : "-inf";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(3)));
}

// Plotly reads a little HTML in every label: take away its meaning.
function literal(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function strides(dims) {
  const out = new Array(dims.length);
  let step = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    out[i] = step;
    step *= dims[i].size;
  }
  return out;
}

class Panel {
  constructor(json) {
    this.label = json.label;
    this.dims = json.dims;
    this.data = decode(json.data);
    this.error = json.error ? decode(json.error) : null;
    // Ends of the interval of each value, NaN where it has none: as recorded, else one standard error to each side.
    this.low = json.low ? decode(json.low) : this.error && this.data.map((v, i) => v - this.error[i]);
    this.high = json.high ? decode(json.high) : this.error && this.data.map((v, i) => v + this.error[i]);
    this.recorded = Boolean(json.low);
    this.steps = strides(this.dims);
  }

  dim(name) { return this.dims.find(d => d.name === name); }

  // Where the cell lies whose indices `at` gives; dimensions it does not name count as 0.
  offset(at) {
    let sum = 0;
    this.dims.forEach((dim, i) => { sum += Math.min(at[dim.name] || 0, dim.size - 1) * this.steps[i]; });
    return sum;
  }

  // Along one dimension, everything else fixed.
  line(name, at, from = this.data) {
    const dim = this.dim(name);
    if (!dim) return [from[this.offset(at)]];
    const start = this.offset({...at, [name]: 0});
    const step = this.steps[this.dims.indexOf(dim)];
    return Array.from({length: dim.size}, (_, i) => from[start + i * step]);
  }

  // " ± 0.2" or " [0.1, 0.4]", for a hover; `at` names one cell.
  spread(at) {
    const i = this.offset(at);
    if (this.recorded) return Number.isFinite(this.low[i]) ? " [" + digits(this.low[i]) + ", " + digits(this.high[i]) + "]" : "";
    return this.error && Number.isFinite(this.error[i]) ? " ± " + digits(this.error[i]) : "";
  }

  // Rows of values: one per index of `y`.
  rows(x, y, at) {
    const dim = this.dim(y);
    if (!dim) return [this.line(x, at)];
    return Array.from({length: dim.size}, (_, i) => this.line(x, {...at, [y]: i}));
  }
}

// "layer 3" or "pos 10 " John" (id 1757)": one coordinate in a hover.
function coordinate(dim, i) {
  if (!dim) return "";
  if (dim.numeric) return dim.name + " " + digits(Number(dim.exact[i]));
  return dim.tokens ? dim.name + " " + i + "  " + dim.exact[i] : dim.name + " " + dim.exact[i];
}

// All combinations of the indices of some dimensions: [{layer: 0}, {layer: 1}, ...].
function combinations(panel, names) {
  let out = [{}];
  for (const name of names) {
    const dim = panel.dim(name);
    if (!dim) continue;
    out = out.flatMap(at => Array.from({length: dim.size}, (_, i) => ({...at, [name]: i})));
  }
  return out;
}
