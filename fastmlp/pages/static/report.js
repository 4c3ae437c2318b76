// Draws the figures of a report: each is a JSON block with panels of Vega-Lite, controls that set
// their parameters, and the data, which a table shows on demand.
"use strict";
(() => {
  const config = {
    background: null, padding: 2,
    font: "system-ui, sans-serif",
    view: { stroke: null },
    axis: {
      labelColor: "var(--ink)", titleColor: "var(--ink)", gridColor: "var(--line)",
      domainColor: "var(--muted)", tickColor: "var(--muted)", labelFontSize: 11,
      titleFontSize: 12, titleFontWeight: "normal", labelAngle: 0,
    },
    text: { color: "var(--ink)" },
    point: { filled: true, size: 45 },
    legend: { labelColor: "var(--ink)", titleColor: "var(--ink)" },
  };

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const show = (value) =>
    value === null || value === undefined ? "" : Array.isArray(value) ? value.map(show).join(", ")
      : typeof value === "number" ? String(Number(value.toPrecision(5))) : String(value);

  const tip = make("div", { className: "tip", hidden: true });
  document.body.append(tip);

  function tooltip(handler, event, item, value) {
    if (!value) {
      tip.hidden = true;
      return;
    }
    const rows = typeof value === "object"
      ? Object.entries(value).map(([name, v]) => make("tr", {},
          make("th", { textContent: name, scope: "row" }), make("td", { textContent: v })))
      : [make("tr", {}, make("td", { textContent: value }))];
    tip.replaceChildren(make("table", {}, ...rows));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 4))}px`;
    tip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 10
      : event.clientY + 18}px`;
  }

  const SHAPES = {
    square: '<rect x="2" y="2" width="10" height="10"/>',
    circle: '<circle cx="7" cy="7" r="5"/>',
    cross: '<path d="M5 1h4v4h4v4H9v4H5V9H1V5h4z"/>',
    "triangle-up": '<path d="M7 2l6 10H1z"/>',
    diamond: '<path d="M7 1l6 6-6 6-6-6z"/>',
    line: '<path d="M0 7h14" stroke="currentColor" stroke-width="2.5"/>',
    dashed: '<path d="M0 7h14" stroke="currentColor" stroke-width="2.5" stroke-dasharray="5 3"/>',
    dotted: '<path d="M0 7h14" stroke="currentColor" stroke-width="2.5" stroke-dasharray="2 2"/>',
    ramp: ["440154", "46327e", "365c8d", "277f8e", "1fa187", "4ac16d", "a0da39", "fde725"]
      .map((shade, i) => `<rect x="${7 * i}" y="2" width="7.2" height="10" fill="#${shade}"/>`).join(""),
    frame: '<rect x="2" y="2" width="10" height="10" fill="none" stroke="currentColor" stroke-width="2.5"/>',
  };

  function keyList(key) {
    const list = make("ul", { className: "key" });
    for (const { label, colour, shape } of key) {
      const item = make("li");
      item.innerHTML = `<svg width="${shape === "ramp" ? 56 : 14}" height="14" aria-hidden="true" fill="currentColor"
        style="color:var(--${colour})">${SHAPES[shape]}</svg>`;
      item.append(label);
      list.append(item);
    }
    return list;
  }

  // Marks that say nothing of their own do not keep the mouse from those below.
  function letThrough(marks) {
    for (const mark of marks ?? []) {
      if (mark.aria === false) mark.interactive = false;
      letThrough(mark.marks);
    }
  }

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.name = figure.dataset.chart;
      Object.assign(this, JSON.parse(figure.querySelector("script").textContent));
      this.settings = Object.fromEntries(this.controls.map((c) => [c.name, c.start]));
      this.inputs = {};
      this.views = [];
      const caption = figure.querySelector("figcaption");
      const grid = make("div", { className: "panels" });
      grid.style.setProperty("--least", `${this.least}px`);
      for (const panel of this.panels) {
        panel.element = make("div", { className: panel.wide ? "panel wide" : "panel" });
        if (panel.title) panel.element.append(make("h4", { textContent: panel.title }));
        panel.box = make("div", { className: "view" });
        panel.box.style.minHeight = `${panel.height}px`; // the page does not move when it is drawn
        panel.element.append(panel.box);
        grid.append(panel.element);
      }
      const before = [this.controlBar(), ...(this.key.length ? [keyList(this.key)] : []), grid];
      caption.before(...before.filter(Boolean));
      caption.after(this.dataTable());
    }

    controlBar() {
      const bar = make("div", { className: "controls" });
      const groups = [...new Set(this.panels.map((p) => p.group).filter(Boolean))];
      if (groups.length > 1) {
        const set = make("fieldset", {}, make("legend", { textContent: this.groups }));
        for (const group of groups) {
          const box = make("input", { type: "checkbox", checked: true });
          box.addEventListener("change", () => {
            for (const panel of this.panels) {
              if (panel.group === group) panel.element.hidden = !box.checked;
            }
            window.dispatchEvent(new Event("resize")); // what is shown again takes its width
          });
          set.append(make("label", {}, box, group));
        }
        bar.append(set);
      }
      for (const control of this.controls) bar.append(this.control(control));
      return bar.childElementCount ? bar : null;
    }

    control({ name, label, values, start }) {
      const numeric = values.every((v) => typeof v === "number");
      if (!numeric) {
        const list = make("select", {}, ...values.map((v) => make("option", { textContent: v })));
        list.value = start;
        list.addEventListener("change", () => this.set(name, list.value));
        this.inputs[name] = (value) => { list.value = value; };
        return make("label", {}, label, list);
      }
      const slider = make("input", {
        type: "range", min: 0, max: values.length - 1, step: 1,
      });
      const output = make("output");
      const place = (value) => {
        slider.value = values.indexOf(value);
        output.textContent = value;
        slider.setAttribute("aria-valuetext", `${label} ${value}`);
      };
      place(start);
      slider.addEventListener("input", () => this.set(name, values[Number(slider.value)]));
      this.inputs[name] = place;
      return make("label", {}, label, slider, output);
    }

    set(name, value) {
      if (!(name in this.settings)) return;
      this.settings[name] = value;
      this.inputs[name](value);
      for (const view of this.views) {
        if (view.name.has(name)) view.view.signal(name, value).runAsync();
      }
    }

    rowsOf(panel) {
      return panel.rows.map((row) => Object.fromEntries(panel.columns.map((c, i) => [c, row[i]])));
    }

    draw(panel) {
      panel.drawn = true;
      const text = JSON.stringify(panel.spec);
      const used = this.controls.filter((c) => text.includes(c.name)).map((c) => c.name);
      const params = used.map((name) => ({ name, value: this.settings[name] }));
      const spec = {
        ...panel.spec,
        data: { values: this.rowsOf(panel) },
        params: [...params, ...(panel.spec.params ?? [])],
        width: "container", height: panel.height,
        autosize: { type: "fit-x", contains: "padding" },
        description: `${panel.title || this.name}. The data are in the table below the figure.`,
        config,
      };
      const compiled = vegaLite.compile(spec).spec;
      letThrough(compiled.marks);
      const view = new vega.View(vega.parse(compiled), { renderer: "svg", hover: true });
      view.tooltip(tooltip).initialize(panel.box).run();
      if (text.includes('"name":"picked"')) {
        view.addSignalListener("picked", (_, value) => {
          for (const [field, chosen] of Object.entries(value)) {
            if (Array.isArray(chosen) && chosen.length) this.set(field, chosen[0]);
          }
        });
      }
      this.views.push({ view, name: new Set(used) });
    }

    dataTable() {
      const count = this.panels.reduce((sum, panel) => sum + panel.rows.length, 0);
      const details = make("details", {},
        make("summary", { textContent: `The data of this figure (${count.toLocaleString("en")} rows)` }));
      details.addEventListener("toggle", () => {
        if (details.open && details.childElementCount === 1) details.append(...this.filledTable());
      });
      return details;
    }

    filledTable() {
      const titled = this.panels.some((panel) => panel.title);
      const columns = [...new Set(this.panels.flatMap((panel) => panel.columns))];
      const heads = titled ? ["panel", ...columns] : columns;
      const rows = this.panels.flatMap((panel) => this.rowsOf(panel).map((row) =>
        [...(titled ? [panel.title] : []), ...columns.map((c) => show(row[c]))]));
      const head = make("tr", {}, ...heads.map((h) => make("th", { scope: "col", textContent: h })));
      const body = make("tbody", {}, ...rows.map((row) =>
        make("tr", {}, ...row.map((cell) => make("td", { textContent: cell })))));
      const box = make("div", { className: "data", tabIndex: 0, role: "region" },
        make("table", {}, make("thead", {}, head), body));
      box.setAttribute("aria-label", `Data of the figure ${this.name}`);
      const quoted = [heads, ...rows].map((row) =>
        row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(",")).join("\n");
      const href = URL.createObjectURL(new Blob([quoted], { type: "text/csv" }));
      return [box, make("p", {}, make("a", { href, download: `${this.name}.csv`, textContent: "Save as CSV" }))];
    }
  }

  // A panel is drawn when it comes near the screen, or when the browser has nothing else to do: a
  // report has dozens of them, and each takes longer than all of the text.
  async function main() {
    const charts = [...document.querySelectorAll("figure[data-chart]")].map((f) => new Chart(f));
    const left = new Map(charts.flatMap((chart) => chart.panels.map((panel) => [panel.box, { chart, panel }])));
    const draw = (box) => {
      const { chart, panel } = left.get(box);
      left.delete(box);
      observer.unobserve(box);
      chart.draw(panel);
    };
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting && left.has(target)) draw(target);
      }
      performance.mark("screen-drawn"); // the first of these; bench/pages.py reads it
    }, { rootMargin: "25%" });
    for (const box of left.keys()) observer.observe(box);
    addEventListener("beforeprint", () => [...left.keys()].forEach(draw));
    const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 50));
    while (left.size) {
      await new Promise((resolve) => { idle(resolve); });
      const [box] = left.keys();
      if (box) draw(box);
    }
    performance.mark("all-drawn");
    document.documentElement.dataset.drawn = charts.length;
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  main();
})();
