// Colours and the look of every plot, light and dark.

const STOPS = {
  // Written out: Plotly's own "RdBu" is red for positive values.
  diverging: ["#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#ffffff", "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061"],
  sequential: ["#ffffff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b"],
};
const SERIES = {
  light: ["#2166ac", "#d6604d", "#3a923a", "#8a5fbf", "#b8860b", "#3b9aa8", "#c2528b", "#6b6b6b", "#7a4a1e", "#5a7d2a", "#a33", "#447"],
  dark: ["#6db1e8", "#f08a75", "#7ccb7c", "#b795e0", "#e0b84c", "#6fcbd8", "#e88bbb", "#b5b5b5", "#c99a6b", "#a6c96b", "#f77", "#99c"],
};

const darkQuery = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const isDark = () => darkQuery.matches && !printing;

function theme() {
  return isDark()
    ? {text: "#d8dce2", soft: "#98a0ab", line: "#3a414c", page: "#14171c", missing: "#4b515b", series: SERIES.dark, pole: "#e8ebef"}
    : {text: "#20242a", soft: "#646c78", line: "#d9dde3", page: "#ffffff", missing: "#c3c7cd", series: SERIES.light, pole: "#20242a"};
}

const scaleOf = limits => STOPS[limits.scale].map((colour, i, all) => [i / (all.length - 1), colour]);

function mix(a, b, part) {
  const channel = k => Math.round(parseInt(a.substr(k, 2), 16) * (1 - part) + parseInt(b.substr(k, 2), 16) * part);
  return [channel(1), channel(3), channel(5)];
}

// [r, g, b] of a finite value.
function rgb(value, limits) {
  const stops = STOPS[limits.scale];
  const share = Math.min(1, Math.max(0, (value - limits.low) / (limits.high - limits.low)));
  const place = share * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  return mix(stops[below], stops[below + 1], place - below);
}

function paint(element, value, limits) {
  if (!Number.isFinite(value)) {
    element.classList.add("missing");
    return;
  }
  const [r, g, b] = rgb(value, limits);
  element.style.backgroundColor = `rgb(${r},${g},${b})`;
  element.style.color = 0.299 * r + 0.587 * g + 0.114 * b < 140 ? "#fff" : "#16191d";
}

// Bars and points: positive blue, negative red, as in the maps.
const signed = values => values.map(v => (v < 0 ? (isDark() ? "#f08a75" : "#c8453a") : (isDark() ? "#6db1e8" : "#2a6db3")));

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

function layout(width, height, extra) {
  const t = theme();
  return {
    width, height, autosize: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: {family: FONT, size: 12, color: t.text}, margin: {l: 56, r: 12, t: 8, b: 44},
    hoverlabel: {font: {family: FONT, size: 12.5}, align: "left", namelength: -1}, showlegend: false,
    modebar: {bgcolor: "rgba(0,0,0,0)", color: t.soft, activecolor: t.text}, dragmode: "zoom", ...extra,
  };
}

const CONFIG = {
  displaylogo: false, responsive: false, showSendToCloud: false, showEditInChartStudio: false, plotlyServerURL: "", displayModeBar: "hover",
  modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "sendDataToCloud"],
};
