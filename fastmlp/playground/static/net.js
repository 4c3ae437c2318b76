// One net of the page: its settings, its buttons, and what is seen of it.
import { Curves, classKey, colour, copy, drawBoundary, drawHistograms, drawImages, layerColour, make, show } from "./draw.js";

const CHECKS = ["normalized", "residual"];
const PLAIN = ["init", "optimizer", "rate", "momentum", "schedule", "l1", "l2", "dropout", "batch", "epochs", "seed"];

export class Net {
  // `send(message)` talks to the server; `shared()` returns what both nets have, the data.
  constructor(name, choices, send, shared) {
    Object.assign(this, { name, choices, send, shared, running: false, wanted: false, frame: null });
    const part = document.getElementById("net").content.cloneNode(true);
    this.element = part.querySelector(".net");
    this.find("h2").textContent = name === "a" ? "Net A" : "Net B";
    this.element.setAttribute("aria-label", this.find("h2").textContent);
    this.form = this.find("form");
    for (const field of ["activation", "init", "optimizer", "schedule"]) {
      this.form[field].append(...choices[field].map((v) => make("option", { textContent: v, value: v })));
    }
    if (matchMedia("(max-width: 52rem)").matches) this.find(".setting").open = false;
    this.hidden = [];
    this.listen();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  listen() {
    const { form } = this;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.depth.addEventListener("input", () => this.setDepth(Number(form.depth.value)));
    form.units.addEventListener("input", () => this.setAll("units", Number(form.units.value)));
    form.activation.addEventListener("change", () => this.setAll("activation", form.activation.value));
    form.addEventListener("change", (event) => {
      if (!["depth", "units", "activation"].includes(event.target.name)) this.changed();
    });
    this.find(".train").addEventListener("click", () => {
      if (!this.running) {
        this.train();
        return;
      }
      this.wanted = false;
      this.send({ type: "pause", net: this.name });
    });
    this.find(".step").addEventListener("click", () => {
      this.wanted = false;
      this.send({ type: "step", net: this.name });
    });
    this.find(".reset").addEventListener("click", () => {
      this.wanted = false;
      this.send({ type: "reset", net: this.name });
      this.clear();
    });
    this.find(".copy").addEventListener("click", (event) => copy(event.target, this.find("code").textContent));
  }

  train() {
    this.wanted = true;
    this.send({ type: "train", net: this.name });
  }

  setDepth(depth) {
    const { units, activation } = this.form;
    while (this.hidden.length > depth) this.hidden.pop();
    while (this.hidden.length < depth) {
      this.hidden.push({ ...(this.hidden.at(-1) ?? { units: Number(units.value), activation: activation.value }) });
    }
    this.form.depth.nextElementSibling.textContent = depth;
    this.listLayers();
    this.changed();
  }

  setAll(field, value) {
    for (const layer of this.hidden) layer[field] = value;
    this.listLayers();
    this.changed();
  }

  listLayers() {
    this.find(".layers").replaceChildren(...this.hidden.map((layer, i) => {
      const units = make("input", { type: "number", min: 1, max: this.choices.units, value: layer.units });
      units.setAttribute("aria-label", `units of layer ${i + 1}`);
      units.addEventListener("change", () => { layer.units = Number(units.value); });
      const list = make("select", {}, ...this.choices.activation.map((v) => make("option", { textContent: v })));
      list.value = layer.activation;
      list.setAttribute("aria-label", `activation of layer ${i + 1}`);
      list.addEventListener("change", () => { layer.activation = list.value; });
      return make("li", {}, units, " ", list);
    }));
  }

  query() {
    const { form } = this;
    const query = new URLSearchParams(this.shared());
    query.set("hidden", this.hidden.map((layer) => `${layer.units}:${layer.activation}`).join(","));
    for (const field of PLAIN) query.set(field, form[field].value);
    for (const field of CHECKS) query.set(field, form[field].checked ? "1" : "0");
    if (form.optimizer.value !== "sgd") query.delete("momentum");
    return query.toString();
  }

  // Settings have changed: the net is another one, and trains at once if the old one does, or did
  // until it was done.
  changed(query = this.query()) {
    this.send({ type: "configure", net: this.name, query, train: this.wanted });
  }

  configured({ values, code, parameters, problem, steps, query }) {
    const { form } = this;
    this.settings = query;
    this.message("");
    for (const field of PLAIN) if (document.activeElement !== form[field]) form[field].value = values[field];
    for (const field of CHECKS) form[field].checked = values[field] === "1";
    const hidden = values.hidden ? values.hidden.split(",").map((part) => {
      const [units, activation] = part.split(":");
      return { units: Number(units), activation };
    }) : [];
    if (JSON.stringify(hidden) !== JSON.stringify(this.hidden)) {
      this.hidden = hidden;
      this.listLayers();
    }
    form.depth.max = Math.max(16, hidden.length);
    form.depth.value = hidden.length;
    form.depth.nextElementSibling.textContent = hidden.length;
    if (hidden.length) {
      if (document.activeElement !== form.units) form.units.value = hidden[0].units;
      form.activation.value = hidden[0].activation;
    }
    this.find(".momentum").hidden = values.optimizer !== "sgd";
    this.find("code").textContent = code;
    this.problem = problem;
    this.about = `${parameters.toLocaleString("en")} parameters, ${steps.toLocaleString("en")} steps`;
    this.clear();
  }

  clear() {
    this.running = false;
    this.frame = null;
    this.pictured = undefined;
    this.find(".train").textContent = "Train";
    this.find(".state").textContent = this.about;
    this.find(".diagnosis ul").replaceChildren();
    this.find(".numbers tbody").replaceChildren();
    this.find(".histograms").replaceChildren();
    this.find(".images").hidden = true;
    this.plots();
  }

  // Make the plots anew: of another net, or in another theme.
  plots() {
    for (const curves of Object.values(this.curves ?? {})) curves.remove();
    const count = this.hidden.length + 1;
    const layers = Array.from({ length: count }, (_, i) => ({
      label: i === count - 1 ? "output layer" : `layer ${i + 1}`, colour: () => layerColour(i, count),
      dash: i === count - 1 ? [6, 3] : undefined,
    }));
    const two = [
      { label: "train", colour: () => colour("blue") },
      { label: "test", colour: () => colour("orange"), dash: [6, 3] },
    ];
    const box = (name) => this.find(`.${name} .plot`);
    for (const name of ["gradient", "update"]) this.find(`.${name}`).classList.add("many");
    this.find(".change").classList.add("many");
    const classes = this.problem.classes.length > 0;
    this.find(".accuracy").hidden = !classes;
    this.curves = {
      loss: new Curves(box("loss"), two),
      ...(classes ? { accuracy: new Curves(box("accuracy"), two, { range: [0, 1] }) } : {}),
      gradient: new Curves(box("gradient"), layers, { log: true }),
      update: new Curves(box("update"), layers, { log: true }),
      change: new Curves(box("change"), [{ label: "change", colour: () => colour("green") }]),
    };
    const bar = make("i");
    bar.style.background = `linear-gradient(90deg, ${layers.map((l) => l.colour()).join(",")}${count === 1 ? `,${layers[0].colour()}` : ""})`;
    this.find(".key").replaceChildren("Lines of layers: from the first", bar, "to the output layer, which is dashed");
    const { points } = this.problem;
    this.find(".boundary").hidden = !points;
    if (points) {
      classKey(this.find(".classes"), this.problem.classes);
      drawBoundary(this.find(".boundary canvas"), null, points);
    }
  }

  recolour() {
    const kept = Object.fromEntries(Object.entries(this.curves).map(([name, c]) => [name, c.data]));
    this.plots();
    this.drawn = this.pictured = undefined;
    for (const [name, data] of Object.entries(kept)) Object.assign(this.curves[name], { data, stale: true });
    this.draw();
  }

  received(frame) {
    this.running = frame.state === "running";
    const { figures, step } = frame;
    if (step > 0) {
      this.curves.loss.add(step, [figures.loss, figures.val_loss]);
      this.curves.accuracy?.add(step, [figures.accuracy, figures.val_accuracy]);
      this.curves.gradient.add(step, frame.layers.map((l) => l.gradient_norm));
      this.curves.update.add(step, frame.layers.map((l) => l.update_ratio));
      if (frame.change !== undefined) this.curves.change.add(step, [frame.change]);
    }
    this.frame = { ...this.frame, ...frame };
  }

  draw() {
    for (const curves of Object.values(this.curves ?? {})) curves.draw();
    const { frame } = this;
    if (!frame || frame === this.drawn) return;
    this.drawn = frame;
    const { figures } = frame;
    this.find(".train").textContent = this.running ? "Pause" : frame.state === "paused" ? "Go on" : "Train";
    const said = [frame.state, `epoch ${frame.epoch}, step ${frame.step.toLocaleString("en")}`];
    if (figures.loss !== undefined) said.push(`loss ${show(figures.loss)}`);
    if (figures.val_accuracy !== undefined) said.push(`test accuracy ${show(figures.val_accuracy)}`);
    this.find(".state").textContent = said.join(" · ");
    if (frame.histograms !== this.pictured) this.pictures(frame);
    const list = this.find(".diagnosis ul");
    const words = frame.diagnosis ?? [];
    const shown = [...list.children].map((item) => item.textContent);
    if (JSON.stringify(shown) !== JSON.stringify(words) && this.timeToSpeak(frame)) {
      list.replaceChildren(...words.map((textContent) => make("li", { textContent })));
    }
  }

  // What comes a few times a second alone, and takes longer to draw than all the curves.
  pictures(frame) {
    this.pictured = frame.histograms;
    this.table(frame.layers);
    drawHistograms(this.find(".histograms"), frame.histograms);
    if (this.problem.points && frame.boundary) {
      drawBoundary(this.find(".boundary canvas"), frame.boundary, this.problem.points);
    }
    this.find(".images").hidden = !frame.images;
    if (frame.images) {
      drawImages(this.find(".images canvas"), frame.images);
      this.find(".images .largest").textContent = show(frame.images.largest);
    }
  }

  // Words that change thirty times a second can be read by nobody.
  timeToSpeak(frame) {
    const now = performance.now();
    if (frame.state === "running" && now - (this.spoken ?? 0) < 1000) return false;
    this.spoken = now;
    return true;
  }

  table(layers) {
    const share = (value) => {
      if (value === undefined || value === null) return [""];
      const meter = make("meter", { min: 0, max: 1, value });
      meter.setAttribute("aria-hidden", "true");
      return [`${Math.round(100 * value)} %`, meter];
    };
    this.find(".numbers tbody").replaceChildren(...layers.map((layer) => make("tr", {},
      make("th", { scope: "row", textContent: layer.name }),
      make("td", { textContent: show(layer.gradient_norm) }),
      make("td", { textContent: show(layer.update_ratio) }),
      make("td", {}, ...share(layer.saturated)), make("td", {}, ...share(layer.dead)))));
  }

  message(text) {
    this.find(".message").textContent = text;
  }
}
