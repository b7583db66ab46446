// heatmap, frames of heat maps, surface.

const MOST_TEXT = 5000;  // cells
const TOOLS = 28;        // pixels above a map, where the tools appear

function cellHover(panel, roles, at, extra) {
  const x = panel.dim(roles.x), y = panel.dim(roles.y);
  return (value, j, i) => literal([y && coordinate(y, j), x && coordinate(x, i), extra].filter(Boolean).join("\n")).replace(/\n/g, "<br>") +
    "<br><b>" + digits(value) + "</b>" + panel.spread({...at, ...(x && {[x.name]: i}), ...(y && {[y.name]: j})});
}

function drawHeatmap(box, figure, panel, at, limits, extent) {
  const {x: xName, y: yName} = figure.roles;
  const none = {name: "", size: 1, show: [""], exact: [""], numeric: true};
  const x = panel.dim(xName) || none, y = panel.dim(yName) || none;
  const z = panel.rows(xName, yName, at);
  const left = Math.max(30, ticksUp(y, 1e6).room) + (y.name ? 20 : 0);
  const width = extent.width, plotWidth = width - left - 12;
  const across = ticksAlong(x, plotWidth);
  const cell = Math.min(34, Math.max(y.size > 60 ? 6 : 14, plotWidth / x.size));
  const plotHeight = Math.min(620, Math.max(44, cell * y.size));
  const bottom = across.room + (x.name ? 26 : 4);
  const hover = cellHover(panel, figure.roles, at);
  const cells = x.size * y.size;
  const trace = {
    type: "heatmap", z: z.map(row => row.map(v => (Number.isFinite(v) ? v : null))), x: x.exact.map((_, i) => i), y: y.exact.map((_, i) => i),
    colorscale: scaleOf(limits), zmin: limits.low, zmax: limits.high, showscale: false, xgap: cells <= MOST_TEXT ? 1 : 0, ygap: cells <= MOST_TEXT ? 1 : 0,
    hoverongaps: true,
  };
  if (cells <= 200000) {
    trace.customdata = z.map((row, j) => row.map((v, i) => hover(v, j, i)));
    trace.hovertemplate = "%{customdata}<extra></extra>";
  }
  const reach = Math.max(Math.abs(limits.low), Math.abs(limits.high));
  const decimals = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(reach) + 0.05)));
  if (cells <= MOST_TEXT && plotWidth / x.size >= 38 && plotHeight / y.size >= 15) {
    trace.text = z.map(row => row.map(v => (!Number.isFinite(v) || Math.abs(v) < 0.005 * reach ? "" : literal(v.toFixed(decimals)))));
    trace.texttemplate = "%{text}";
    trace.textfont = {size: 10.5};
  }
  const traces = [trace];
  const odd = [];
  if (cells <= MOST_TEXT) z.forEach((row, j) => row.forEach((v, i) => { if (!Number.isFinite(v)) odd.push([i, j, digits(v)]); }));
  if (odd.length) {
    traces.push({type: "scatter", mode: "text", x: odd.map(o => o[0]), y: odd.map(o => o[1]), text: odd.map(o => o[2]),
                 textfont: {size: 9, color: theme().text}, hoverinfo: "skip"});
  }
  const t = theme();
  return Plotly.react(box, traces, layout(width, plotHeight + bottom + TOOLS, {
    margin: {l: left, r: 12, t: TOOLS, b: bottom}, plot_bgcolor: odd.length || cells > MOST_TEXT ? t.missing : t.line,
    xaxis: indexAxis(x, across, false), yaxis: {...indexAxis(y, ticksUp(y, plotHeight), figure.origin === "upper"), tickangle: 0},
  }), CONFIG);
}

const mesh = dim => ({show: Boolean(dim && dim.size > 1 && dim.size <= 80), start: 0, end: dim ? dim.size - 1 : 0, size: 1, width: 1,
                      color: "#9aa2ad", highlight: false});

// Text in WebGL knows no entities: look-alikes instead.
const literal3d = text => String(text).replace(/</g, "\u2039").replace(/>/g, "\u203a");

function drawSurface(box, figure, panel, at, limits, extent) {
  const {x: xName, y: yName} = figure.roles;
  const x = panel.dim(xName), y = panel.dim(yName);
  const z = panel.rows(xName, yName, at);
  const t = theme();
  const hover = cellHover(panel, figure.roles, at);
  const axis = (dim, title) => {
    const every = dim ? Math.max(1, Math.ceil(dim.size / 16)) : 1;
    const ticks = dim ? dim.show.map((s, i) => [i, s]).filter(([i]) => i % every === 0) : [];
    return {title: {text: literal3d(title), font: {size: 12, color: t.soft}}, tickvals: ticks.map(p => p[0]), ticktext: ticks.map(p => literal3d(p[1])),
            tickfont: {size: 10, color: t.text}, gridcolor: t.line, zerolinecolor: t.soft, showbackground: false, color: t.soft};
  };
  const value = {...axis(null, figure.name.split("/").pop() + (figure.unit ? " (" + figure.unit + ")" : ""))};
  delete value.tickvals;
  delete value.ticktext;
  const trace = {
    type: "surface", z: z.map(row => row.map(v => (Number.isFinite(v) ? v : null))), x: x ? x.exact.map((_, i) => i) : [0], y: y ? y.exact.map((_, i) => i) : [0],
    colorscale: scaleOf(limits), cmin: limits.low, cmax: limits.high, showscale: false,
    customdata: z.map((row, j) => row.map((v, i) => hover(v, j, i))), hovertemplate: "%{customdata}<extra></extra>",
    // White must stay white: no shading; lines along the cells show the shape instead.
    contours: {x: mesh(x), y: mesh(y), z: {highlight: false}}, lighting: {ambient: 1, diffuse: 0, specular: 0, fresnel: 0}, connectgaps: false,
  };
  return Plotly.react(box, [trace], layout(extent.width, Math.min(600, Math.max(420, extent.width * 0.62)), {
    margin: {l: 0, r: 0, t: 0, b: 0},
    scene: {xaxis: {...axis(x, xName), autorange: "reversed"}, yaxis: axis(y, yName), zaxis: value, camera: box.dataset.camera ? JSON.parse(box.dataset.camera) : {eye: {x: 1.3, y: 1.75, z: 0.95}, center: {x: 0, y: 0, z: -0.16}},
            aspectmode: "manual", aspectratio: {x: 1.5, y: 1, z: 0.7}},
  }), CONFIG);
}
