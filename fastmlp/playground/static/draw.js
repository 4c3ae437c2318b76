// Pictures of one net: curves by uPlot, and canvases.

export const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const colours = new Map(); // to ask for one takes longer than to draw a point
export const forgetColours = () => colours.clear();

export function colour(name) {
  if (!colours.has(name)) {
    colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return colours.get(name);
}

export const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const mix = (a, b, share) => a.map((v, i) => Math.round(v + (b[i] - v) * share));

// From the first layer's colour to the output layer's, by way of grey: also for the colour-blind.
export function layerColour(place, count) {
  const [first, middle, last] = ["blue", "muted", "orange"].map((name) => rgb(colour(name)));
  const at = count > 1 ? place / (count - 1) : 1;
  const made = at < 0.5 ? mix(first, middle, at * 2) : mix(middle, last, at * 2 - 1);
  return `rgb(${made.join(",")})`;
}

export const show = (value) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
};

export async function copy(button, text) {
  const before = button.textContent;
  await navigator.clipboard?.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

const MOST_POINTS = 1200;

// Of a logarithmic axis, powers of ten alone are labelled: at most six of them.
function powers(_, splits) {
  const whole = splits.map((v) => Math.log10(v)).map((p) => (Math.abs(p - Math.round(p)) < 1e-6 ? Math.round(p) : null));
  const every = Math.ceil(whole.filter((p) => p !== null).length / 6);
  return splits.map((v, i) => (whole[i] !== null && whole[i] % every === 0 ? v : null));
}

export class Curves {
  // `series`: [{ label, colour, dash }]
  constructor(box, series, { log = false, range = null } = {}) {
    this.box = box;
    this.series = series;
    this.options = { log, range };
    this.clear();
    this.observer = new ResizeObserver(() => {
      const width = box.clientWidth;
      if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: 200 });
    });
    this.observer.observe(box);
    this.build();
  }

  clear() {
    this.data = [[], ...this.series.map(() => [])];
    this.stale = true;
  }

  add(x, values) {
    const [steps] = this.data;
    const last = steps.length - 1;
    const place = last >= 0 && steps[last] === x ? last : last + 1;
    [x, ...values].forEach((value, i) => {
      this.data[i][place] = this.options.log && i > 0 && !(value > 0) ? null : value ?? null;
    });
    if (steps.length > MOST_POINTS) {
      this.data = this.data.map((row) => row.filter((_, i) => i % 2 === 0 || i === row.length - 1));
    }
    this.stale = true;
  }

  build() {
    this.plot?.destroy();
    const axis = { stroke: colour("ink"), grid: { stroke: colour("line"), width: 1 },
      ticks: { stroke: colour("line"), width: 1 }, font: "11px system-ui", labelFont: "11px system-ui" };
    const { log, range } = this.options;
    const sparse = log ? { filter: powers, grid: { ...axis.grid, filter: powers },
      ticks: { ...axis.ticks, filter: powers } } : {};
    this.plot = new uPlot({
      width: Math.max(this.box.clientWidth, 120), height: 200,
      scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(range ? { range } : {}) } },
      axes: [{ ...axis, label: "step", labelSize: 14, size: 28,
               values: (_, splits) => splits.map((v) => (v >= 1e4 ? `${v / 1e3}k` : v)) },
             { ...axis, ...sparse, size: 52, values: (_, splits) => splits.map((v) => (v === null ? "" : log ? v.toExponential(0) : show(v))) }],
      series: [{ label: "step" }, ...this.series.map((s) => ({
        label: s.label, stroke: s.colour(), width: 1.8, dash: s.dash, points: { show: false },
        value: (plot, v, i) => show(v ?? plot.data[i].findLast((one) => one !== null)), spanGaps: true,
      }))],
      cursor: { drag: { x: false, y: false } },
    }, this.data, this.box);
  }

  draw() {
    if (!this.stale) return;
    this.stale = false;
    this.plot.setData(this.data);
  }

  remove() {
    this.observer.disconnect();
    this.plot.destroy();
  }
}

const CLASS_COLOURS = ["blue", "orange", "green", "pink", "red", "sky", "yellow"];
const SHAPES = [
  (c, x, y) => c.arc(x, y, 3.2, 0, 7),
  (c, x, y) => c.rect(x - 3, y - 3, 6, 6),
  (c, x, y) => { c.moveTo(x, y - 4); c.lineTo(x + 4, y + 3); c.lineTo(x - 4, y + 3); c.closePath(); },
  (c, x, y) => { c.moveTo(x, y - 4); c.lineTo(x + 4, y); c.lineTo(x, y + 4); c.lineTo(x - 4, y); c.closePath(); },
];

function point(context, label, x, y) {
  context.beginPath();
  SHAPES[label % SHAPES.length](context, x, y);
  context.fillStyle = colour(CLASS_COLOURS[label % CLASS_COLOURS.length]);
  context.strokeStyle = colour("paper");
  context.lineWidth = 1;
  context.fill();
  context.stroke();
}

export function classKey(box, classes) {
  box.replaceChildren(...classes.map((name, label) => {
    const canvas = make("canvas", { width: 12, height: 12 });
    canvas.setAttribute("aria-hidden", "true");
    point(canvas.getContext("2d"), label, 6, 6);
    return make("span", {}, canvas, name);
  }));
}

export function drawBoundary(canvas, boundary, points) {
  const context = canvas.getContext("2d");
  const size = canvas.width;
  context.clearRect(0, 0, size, size);
  const reach = boundary?.reach ?? 1.7;
  if (boundary) {
    const { side } = boundary;
    const data = bytes(boundary.data);
    const image = new ImageData(side, side);
    const paper = rgb(colour("paper"));
    const ofClasses = CLASS_COLOURS.map((name) => rgb(colour(name)));
    data.forEach((value, i) => {
      const sure = (value % 50) / 49;
      const made = mix(paper, ofClasses[Math.floor(value / 50) % ofClasses.length], 0.12 + 0.5 * sure);
      image.data.set([...made, 255], 4 * i);
    });
    const small = new OffscreenCanvas(side, side);
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(small, 0, 0, size, size);
  }
  points.x.forEach(([x, y], i) => {
    const across = (x / reach + 1) / 2 * size;
    point(context, points.y[i], across, size - (y / reach + 1) / 2 * size);
  });
}

export function drawImages(canvas, images) {
  const { units, height, width } = images;
  const data = bytes(images.data);
  const columns = Math.min(units, 8);
  const gap = Math.max(1, Math.round(width / 10));
  const rows = Math.ceil(units / columns);
  canvas.width = columns * (width + gap) - gap;
  canvas.height = rows * (height + gap) - gap;
  const context = canvas.getContext("2d");
  const [middle, low, high] = ["paper", "blue", "red"].map((name) => rgb(colour(name)));
  for (let unit = 0; unit < units; unit += 1) {
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i += 1) {
      const value = (data[unit * width * height + i] - 128) / 127;
      image.data.set([...mix(middle, value < 0 ? low : high, Math.min(1, Math.abs(value))), 255], 4 * i);
    }
    context.putImageData(image, (unit % columns) * (width + gap), Math.floor(unit / columns) * (height + gap));
  }
}

export function drawHistograms(box, histograms) {
  while (box.childElementCount > histograms.length) box.lastElementChild.remove();
  histograms.forEach((histogram, i) => {
    let figure = box.children[i];
    if (!figure) {
      const canvas = make("canvas", { width: 144, height: 48 });
      canvas.setAttribute("role", "img");
      figure = make("figure", {}, make("figcaption"), canvas,
        make("div", { className: "range" }, make("span"), make("span")));
      box.append(figure);
    }
    const [caption, canvas, range] = figure.children;
    caption.textContent = `Activations, ${histogram.name}`;
    canvas.setAttribute("aria-label",
      `Histogram of the activations of ${histogram.name}, from ${show(histogram.low)} to ${show(histogram.high)}`);
    range.children[0].textContent = show(histogram.low);
    range.children[1].textContent = show(histogram.high);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = colour("blue");
    const largest = Math.max(...histogram.counts, 1);
    const wide = canvas.width / histogram.counts.length;
    histogram.counts.forEach((count, bin) => {
      const high = count ? Math.max(1, count / largest * canvas.height) : 0;
      context.fillRect(bin * wide, canvas.height - high, wide - 1, high);
    });
  });
}
