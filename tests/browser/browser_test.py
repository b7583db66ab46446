#!/usr/bin/env python3
"""Opens report pages in headless Chromium: everything draws, nothing complains, nothing leaves the machine.

usage: browser_test.py BROWSER_PAGES PREFIX [KEEP]
BROWSER_PAGES writes the pages (tests/browser/pages.cpp); PREFIX/share/diopter holds plotly.min.js; KEEP is a folder for
screenshots. Ends with 77 (skipped) where there is no Chromium or no Plotly.js.
"""
import filecmp
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-first-run",
         "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--enable-logging=stderr", "--hide-scrollbars", "--virtual-time-budget=60000", "--window-size=1200,900"]
# Remarks of the browser about WebGL in software and about Plotly's canvas, not about the page.
HARMLESS = re.compile(r"GPU stall due to ReadPixels|willReadFrequently|Automatic fallback to software WebGL")


class Page(html.parser.HTMLParser):
    """The drawn document: its sections of figures, and every element and attribute name in it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root, self.sections, self.tags, self.handlers, self.plots, self.scenes = {}, [], [], [], 0, 0
        self.buttons, self.tokens = 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        classes = (attributes.get("class") or "").split()
        self.tags.append(tag)
        self.handlers += [name for name in attributes if name.startswith("on")]
        self.root = attributes if tag == "html" else self.root
        if tag == "section" and "figure" in classes:
            self.sections.append(attributes)
        self.plots += "js-plotly-plot" in classes
        self.scenes += (tag == "canvas") - (tag == "button" and "head" in classes)  # thumbnails of attention are canvases too
        self.buttons += "play" in classes
        self.tokens += "token" in classes


def fail(what):
    print("FAILED:", what)
    sys.exit(1)


def browse(browser, page, folder):
    """The document after its scripts, and what the browser said."""
    net_log = folder / (page.stem + ".net.json")
    done = subprocess.run([browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={net_log}", "--dump-dom", page.as_uri()],
                          capture_output=True, text=True, timeout=600)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line and not HARMLESS.search(line)]
    return done.stdout, console, requests(net_log)


def requests(net_log):
    """Every address the browser asked for, other than files and data in the page."""
    text = net_log.read_text(errors="replace") if net_log.exists() else fail("no network log")
    try:
        events = json.loads(text)["events"]
    except json.JSONDecodeError:  # the browser ended before it closed the list
        events = json.loads(text[:text.rstrip().rstrip(",").rfind("}") + 1] + "]}")["events"]
    urls = set()
    for event in events:  # the browser's own errands (updates, time) have no origin
        params = event.get("params", {})
        if params.get("initiator", "not an origin") != "not an origin":
            urls.add(params.get("url", ""))
    return sorted(url for url in urls if re.match(r"(https?|wss?|ftp):", url))


def check_the_check(browser, folder):
    """A page that does ask for something must be noticed."""
    page = folder / "asks.html"
    page.write_text("<!doctype html><img src='http://127.0.0.1:9/x.png'>")
    if browse(browser, page, folder)[2] != ["http://127.0.0.1:9/x.png"]:
        fail("a request of a page goes unnoticed")


def check(browser, page, folder, expected):
    dom, console, urls = browse(browser, page, folder)
    if console:
        fail(f"{page.name}: the console says\n  " + "\n  ".join(console))
    if urls:
        fail(f"{page.name}: asked for {urls}")
    drawn = Page(dom)
    plotted = [section for section in drawn.sections if "data-plot" in section]
    if drawn.root.get("data-failed") != "0" or drawn.root.get("data-rendered") != str(len(plotted)):
        fail(f"{page.name}: {drawn.root.get('data-rendered')} of {len(plotted)} figures drawn, {drawn.root.get('data-failed')} failed")
    undrawn = [section.get("id") for section in plotted if int(section.get("data-rendered", 0)) < 1]
    if undrawn:
        fail(f"{page.name}: nothing in {undrawn}")
    for name, least in expected.items():
        if getattr(drawn, name) < least:
            fail(f"{page.name}: {getattr(drawn, name)} {name}, expected at least {least}")
    if drawn.handlers:
        fail(f"{page.name}: event handlers in the markup: {sorted(set(drawn.handlers))}")
    if "img" in drawn.tags or "iframe" in drawn.tags or drawn.tags.count("script") != len(plotted) + 2:
        fail(f"{page.name}: elements that nobody wrote")
    print(f"{page.name}: {len(plotted)} figures, {drawn.plots} plots, {drawn.scenes} scenes, no console message, no request")


def check_hover(browser, page, folder):
    """Pointing at a cell names its layer, its token with position and id, and the value in three digits."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())  # the policy forbids this very script
    point = """<script>
      const wait = setInterval(() => {
        if (!document.documentElement.dataset.rendered) return;
        clearInterval(wait);
        Plotly.Fx.hover(document.querySelector(".js-plotly-plot"), {xval: 10, yval: 3});
        const lines = [...document.querySelectorAll(".hoverlayer text tspan")].map(line => line.textContent);
        document.documentElement.dataset.hover = JSON.stringify(lines);
      }, 50);
    </script></body>"""
    copy = folder / "hover.html"
    copy.write_text(text.replace("</body>", point))
    lines = json.loads(Page(browse(browser, copy, folder)[0]).root.get("data-hover") or "[]")
    if lines[:3] != ["layer 3", 'pos 10  " John" (id 1010)', "0.953"]:
        fail(f"hover shows {lines}")
    print("hover:", " | ".join(lines))


def check_intervals(browser, page, folder):
    """A recorded interval reaches from its low to its high end, and the hover names both."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    look = """<script>
      const wait = setInterval(() => {
        if (!document.documentElement.dataset.rendered) return;
        clearInterval(wait);
        const traces = [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot => plot.data);
        const bars = traces.filter(trace => trace.error_y && trace.error_y.symmetric === false);
        document.documentElement.dataset.bars = JSON.stringify(bars.map(bar =>
          ({up: bar.error_y.array, down: bar.error_y.arrayminus, y: [...bar.y], hover: bar.customdata})));
      }, 50);
    </script></body>"""
    copy = folder / "intervals.html"
    copy.write_text(text.replace("</body>", look))
    bars = json.loads(Page(browse(browser, copy, folder)[0]).root.get("data-bars") or "[]")
    if len(bars) != 1 or len(bars[0]["y"]) != 30:
        fail(f"one figure has intervals, drawn are {[len(bar['y']) for bar in bars]}")
    bar = bars[0]
    if any(abs(up - 0.125) > 1e-6 or abs(down - 0.25) > 1e-6 for up, down in zip(bar["up"], bar["down"])):
        fail(f"the ends of the intervals are {bar['up'][:3]} above and {bar['down'][:3]} below")
    shown = re.search(r"\[(\S+), (\S+)\]$", bar["hover"][0])
    if not shown or abs(float(shown[1]) - (bar["y"][0] - 0.25)) > 0.006 or abs(float(shown[2]) - (bar["y"][0] + 0.125)) > 0.006:
        fail(f"hover of {bar['y'][0]} shows {bar['hover'][0]}")
    print("intervals:", bar["hover"][0])


def main():
    pages_program, prefix = sys.argv[1:3]
    browser = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if not browser or not (pathlib.Path(prefix) / "share/diopter/plotly.min.js").exists():
        print("skipped:", "no Chromium" if not browser else "no Plotly.js (./dev setup)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for copy in ("a", "b"):
            subprocess.run([pages_program, folder / copy, prefix], check=True)
        same, different, odd = filecmp.cmpfiles(folder / "a", folder / "b", [f.name for f in (folder / "a").iterdir()], shallow=False)
        if different or odd:
            fail(f"not the same twice: {different + odd}")
        print(f"{len(same)} files are byte-identical twice")
        check_the_check(browser, folder)
        check(browser, folder / "a/every_kind.html", folder, {"plots": 11, "scenes": 1, "buttons": 2, "tokens": 30})
        check(browser, folder / "a/hostile.html", folder, {"plots": 7, "scenes": 1, "buttons": 1, "tokens": 20})
        check(browser, folder / "a/beside.html", folder, {"plots": 11, "scenes": 1, "buttons": 2})
        check_hover(browser, folder / "a/every_kind.html", folder)
        check_intervals(browser, folder / "a/every_kind.html", folder)
        if len(sys.argv) > 3:
            keep = pathlib.Path(sys.argv[3])
            keep.mkdir(parents=True, exist_ok=True)
            for look, extra in (("light", []), ("dark", ["--blink-settings=preferredColorScheme=0"])):
                for page, height in (("every_kind", 9600), ("hostile", 7600)):
                    subprocess.run([browser, *FLAGS[:-1], *extra, f"--window-size=1200,{height}", f"--user-data-dir={folder / 'profile'}",
                                    f"--screenshot={keep.resolve() / f'{page}_{look}.png'}", (folder / f"a/{page}.html").as_uri()], capture_output=True, timeout=600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
