// line, bar, frames of bars, histogram, scatter.

const faint = (colour, alpha) => {
  const hex = colour.length === 4 ? "#" + [...colour.slice(1)].map(c => c + c).join("") : colour;
  return `rgba(${parseInt(hex.substr(1, 2), 16)},${parseInt(hex.substr(3, 2), 16)},${parseInt(hex.substr(5, 2), 16)},${alpha})`;
};

function legendAbove(count) {
  return count > 1 ? {showlegend: true, legend: {orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", font: {size: 12, color: theme().text}}} : {};
}

function valueTitle(figure) {
  return figure.name.split("/").pop() + (figure.unit ? " (" + figure.unit + ")" : "");
}

// One entry per series: {name, at}.
function seriesOf(figure, panel, at) {
  const dim = panel.dim(figure.roles.series);
  if (!dim) return [{name: panel.label, at}];
  return dim.show.map((show, i) => ({name: dim.numeric ? dim.name + " " + show : show, at: {...at, [dim.name]: i}}));
}

function range(values, withZero) {
  const finite = values.filter(Number.isFinite);
  let low = Math.min(...finite), high = Math.max(...finite);
  if (!finite.length) return [0, 1];
  if (withZero) low = Math.min(0, low), high = Math.max(0, high);
  const pad = (high - low || Math.abs(high) || 1) * 0.07;
  return [low < 0 || !withZero ? low - pad : 0, high > 0 || !withZero ? high + pad : 0];
}

function drawSeries(box, figure, panel, at, limits, extent, kind) {
  const x = panel.dim(figure.roles.x) || {name: "", size: 1, show: [""], exact: [""], numeric: true};
  const list = seriesOf(figure, panel, at);
  const numbers = kind === "line" ? positions(x) : null;
  const t = theme();
  const across = ticksAlong(x, extent.width - 76);
  const bottom = numbers ? 50 : across.room + (x.name ? 28 : 8);
  const height = 300 + bottom;
  const traces = [];
  list.forEach((one, s) => {
    const y = panel.line(figure.roles.x, one.at);
    // Where there is no interval, its ends are the value itself.
    const end = from => panel.line(figure.roles.x, one.at, from).map((e, i) => (Number.isFinite(e) ? e : y[i]));
    const low = panel.low ? end(panel.low) : null, high = panel.high ? end(panel.high) : null;
    const colour = t.series[s % t.series.length];
    const hover = y.map((v, i) => (list.length > 1 ? literal(one.name) + "<br>" : "") + literal(coordinate(x, i)) + "<br><b>" + digits(v) + "</b>" +
      panel.spread({...one.at, [x.name]: i}));
    const common = {x: numbers || x.exact.map((_, i) => i), y, name: literal(one.name), customdata: hover, hovertemplate: "%{customdata}<extra></extra>"};
    if (kind === "line") {
      if (low) {
        traces.push({x: [...common.x, ...[...common.x].reverse()], y: [...high, ...[...low].reverse()], type: "scatter", mode: "lines", fill: "toself",
                     fillcolor: faint(colour, 0.18), line: {width: 0}, hoverinfo: "skip", showlegend: false});
      }
      traces.push({...common, type: "scatter", mode: y.length > 60 ? "lines" : "lines+markers", line: {color: colour, width: 2}, marker: {size: 5, color: colour}});
    } else {
      traces.push({...common, type: "bar", marker: {color: list.length > 1 ? colour : signed(y)},
                   error_y: low ? {type: "data", symmetric: false, array: high.map((e, i) => e - y[i]), arrayminus: low.map((e, i) => y[i] - e),
                                   color: t.soft, thickness: 1.2, width: 3} : undefined});
    }
  });
  // The same scale for every frame and facet: heights can be compared.
  const all = panel.low ? [...panel.data, ...panel.low, ...panel.high] : Array.from(panel.data);
  const xaxis = numbers ? {...axisStyle(x.name), type: "linear", range: range(numbers, false)} : indexAxis(x, across, false);
  return Plotly.react(box, traces, layout(extent.width, height, {
    margin: {l: 62, r: 14, t: list.length > 1 ? 34 : 10, b: bottom}, bargap: 0.18, xaxis,
    yaxis: {...axisStyle(valueTitle(figure)), range: range(all, kind === "bar"), zeroline: true, showgrid: true}, ...legendAbove(list.length),
  }), CONFIG);
}

function drawHistogram(box, figure, panel, at, limits, extent) {
  const t = theme();
  const series = panel.dim(figure.roles.series);
  const facets = new Set(figure.roles.facet);
  const list = seriesOf(figure, panel, at);
  const traces = list.map((one, s) => {
    const fixed = {};
    for (const dim of panel.dims) if (facets.has(dim.name) || (series && dim.name === series.name)) fixed[dim.name] = one.at[dim.name] || 0;
    const values = combinations(panel, panel.dims.map(d => d.name).filter(name => !(name in fixed))).map(free => panel.data[panel.offset({...free, ...fixed})]);
    return {type: "histogram", x: values.filter(Number.isFinite), name: literal(one.name), opacity: list.length > 1 ? 0.6 : 1, nbinsx: 40,
            marker: {color: t.series[s % t.series.length], line: {width: 0.5, color: t.page}}, hovertemplate: "%{x}<br><b>%{y}</b><extra></extra>"};
  });
  return Plotly.react(box, traces, layout(extent.width, 330, {
    barmode: "overlay", margin: {l: 62, r: 14, t: list.length > 1 ? 34 : 10, b: 50}, xaxis: axisStyle(valueTitle(figure)),
    yaxis: {...axisStyle("count"), showgrid: true}, ...legendAbove(list.length),
  }), CONFIG);
}

function drawScatter(box, figure, extent) {
  const t = theme();
  const column = name => figure.columns.find(c => c.name === name);
  const values = c => (c.values = c.values || decode(c.data));
  const x = column(figure.scatter.x), y = column(figure.scatter.y), colour = column(figure.scatter.colour), text = column(figure.scatter.text);
  const xs = values(x), ys = values(y);
  const hover = Array.from(xs, (_, i) => (text ? "<b>" + literal(text.exact ? text.exact[i] : digits(values(text)[i])) + "</b><br>" : "") +
    literal(x.name) + " " + digits(xs[i]) + "<br>" + literal(y.name) + " " + digits(ys[i]) +
    (colour ? "<br>" + literal(colour.name) + " " + literal(colour.exact ? colour.exact[i] : digits(values(colour)[i])) : ""));
  const groups = new Map();
  Array.from(xs, (_, i) => {
    const key = colour && colour.show ? colour.show[i] : "";
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(i);
  });
  const traces = [...groups.entries()].map(([name, members], s) => ({
    type: "scatter", mode: "markers", name: literal(name), x: members.map(i => xs[i]), y: members.map(i => ys[i]),
    customdata: members.map(i => hover[i]), hovertemplate: "%{customdata}<extra></extra>",
    marker: {size: 8, opacity: 0.85, line: {width: 0.7, color: t.page}, color: colour && !colour.show ? Array.from(values(colour)) : t.series[s % t.series.length],
             colorscale: colour && !colour.show ? scaleOf({scale: "sequential"}) : undefined, showscale: Boolean(colour && !colour.show)},
  }));
  return Plotly.react(box, traces, layout(extent.width, Math.min(560, extent.width * 0.66), {
    margin: {l: 62, r: 14, t: groups.size > 1 ? 34 : 10, b: 50}, xaxis: {...axisStyle(x.name), showgrid: true, zeroline: true},
    yaxis: {...axisStyle(y.name), showgrid: true, zeroline: true}, ...legendAbove(groups.size),
  }), CONFIG);
}
