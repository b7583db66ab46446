// Numeric axes with written-out ticks: equal tokens stay apart, and labels never run into one another.

const LETTER = 6.4;  // mean width of a character of tick text, in pixels
const textWidth = text => {
  let width = 0;
  for (const c of text) width += c < "\u0300" ? LETTER : c >= "\u1100" && c < "\u2000" || c >= "\u2e80" ? 12 : c >= "\u2066" && c <= "\u2069" ? 0 : 7.5;
  return width;
};

// Ticks for the indices of `dim` over `pixels`: upright where they fit, slanted, then upright lines of text, then thinned.
function ticksAlong(dim, pixels) {
  const cell = pixels / dim.size;
  const widest = Math.max(...dim.show.map(textWidth), 1);
  let angle = 0, room = 22;
  if (widest > cell - 6) {
    angle = dim.numeric ? 0 : cell >= 22 ? -45 : -90;
    room = angle ? widest * (angle === -45 ? 0.75 : 1) + 14 : 22;
  }
  const need = angle ? 14 : widest + 8;
  const every = Math.max(1, Math.ceil(need / cell));
  const at = [], text = [];
  for (let i = 0; i < dim.size; i += every) {
    at.push(i);
    text.push(literal(dim.show[i]));
  }
  return {at, text, angle, room};
}

function ticksUp(dim, pixels) {
  const every = Math.max(1, Math.ceil(15 / (pixels / dim.size)));
  const at = [], text = [];
  for (let i = 0; i < dim.size; i += every) {
    at.push(i);
    text.push(literal(dim.show[i]));
  }
  return {at, text, room: Math.max(...dim.show.map(textWidth), 10) + 12};
}

function axisStyle(title) {
  const t = theme();
  return {
    title: {text: title ? literal(title) : "", font: {size: 12, color: t.soft}, standoff: 8}, tickfont: {size: 11, color: t.text},
    linecolor: t.line, gridcolor: t.line, zerolinecolor: t.soft, showline: false, zeroline: false, ticks: "", automargin: false,
  };
}

// An axis of a dimension by index, from -0.5 to size - 0.5.
function indexAxis(dim, ticks, reversed) {
  const range = [-0.5, dim.size - 0.5];
  return {
    ...axisStyle(dim.name), type: "linear", tickmode: "array", tickvals: ticks.at, ticktext: ticks.text, tickangle: ticks.angle || 0,
    range: reversed ? range.reverse() : range, showgrid: false,
  };
}

// Numbers of a dimension when it has them and they rise; else its indices.
function positions(dim) {
  const values = dim.numeric ? dim.exact.map(Number) : null;
  const rising = values && values.every((v, i) => i === 0 || v > values[i - 1]);
  return rising ? values : null;
}
