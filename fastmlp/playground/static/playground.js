// The page: one web socket, the data that both nets learn, and the nets.
import { copy, forgetColours, make } from "./draw.js";
import { Net } from "./net.js";

const shared = document.getElementById("shared");
const nets = document.getElementById("nets");
const two = document.getElementById("two");
const both = document.getElementById("both");
const PLANES = ["moons", "circles", "squares", "spirals", "blobs"];
const byName = {};
const socket = new WebSocket(`ws://${location.host}/live`);
const send = (message) => socket.send(JSON.stringify(message));
let choices;
let frames = 0;

const values = () => ({
  data: shared.data.value,
  ...(PLANES.includes(shared.data.value) ? { noise: shared.noise.value } : {}),
});

function tell(text) {
  document.getElementById("message").textContent = text;
}

function add(name, query) {
  const net = new Net(name, choices, send, values);
  byName[name] = net;
  nets.append(net.element);
  net.send({ type: "configure", net: name, query });
}

function welcome(message) {
  choices = message.choices;
  shared.data.append(...choices.data.map((v) => make("option", { textContent: v === "csv" ? "your CSV" : v, value: v })));
  const query = new URLSearchParams(location.search);
  const second = query.get("b");
  query.delete("b");
  add("a", query.toString());
  if (second !== null) {
    two.checked = true;
    showTwo();
    add("b", second);
  }
}

function showTwo() {
  nets.classList.toggle("two", two.checked);
  both.hidden = !two.checked;
}

function configured(message) {
  const net = byName[message.net];
  if (!net) return;
  if (message.net === "a") {
    shared.data.value = message.values.data;
    shared.noise.value = message.values.noise;
    shared.noise.nextElementSibling.textContent = message.values.noise;
    document.getElementById("noise").hidden = !PLANES.includes(message.values.data);
    const { name, train, test, classes, note } = message.problem;
    document.getElementById("note").textContent = note
      || `${name}: ${train.toLocaleString("en")} training and ${test.toLocaleString("en")} test samples, ${classes.length} classes`;
  }
  net.configured(message);
  remember();
}

function remember() {
  const first = byName.a?.settings ?? "";
  const second = byName.b?.settings;
  const query = second === undefined ? first : `${first}&b=${encodeURIComponent(second)}`;
  history.replaceState(null, "", `?${query}`);
}

function refused({ net, message }) {
  const one = byName[net];
  if (!one) {
    tell(message);
  } else if (one.problem === undefined) { // a bad link: say so, and begin with a net that there is
    tell(message);
    one.send({ type: "configure", net, query: "" });
  } else {
    one.message(message);
  }
}

const obey = {
  welcome,
  configured,
  refused,
  frame: (frame) => { byName[frame.net]?.problem && byName[frame.net].received(frame); frames += 1; },
  failed: ({ net, message }) => byName[net]?.message(message),
  table: () => {
    shared.data.value = "csv";
    for (const net of Object.values(byName)) net.changed();
  },
};

socket.addEventListener("message", (event) => {
  const message = JSON.parse(event.data);
  obey[message.type](message);
});
socket.addEventListener("close", () => {
  tell("The server has ended, or was stopped: start it again, and load this page anew.");
  for (const button of document.querySelectorAll("button")) button.disabled = true;
});

shared.addEventListener("submit", (event) => event.preventDefault());
shared.noise.addEventListener("input", () => {
  shared.noise.nextElementSibling.textContent = shared.noise.value;
});
shared.addEventListener("change", (event) => {
  if (!["data", "noise"].includes(event.target.name)) return;
  tell("");
  for (const net of Object.values(byName)) net.changed();
});
document.getElementById("slow").addEventListener("change", (event) => {
  send({ type: "slow", value: event.target.checked });
});
two.addEventListener("change", () => {
  showTwo();
  if (two.checked) {
    add("b", byName.a.query());
  } else {
    send({ type: "remove", net: "b" });
    byName.b.element.remove();
    delete byName.b;
    remember();
  }
});
document.getElementById("link").addEventListener("click", (event) => copy(event.target, location.href));
both.addEventListener("click", () => {
  for (const net of Object.values(byName)) if (!net.running) net.train();
});

async function take(file) {
  if (!file) return;
  tell("");
  if (file.size > choices.bytes) {
    tell(`CSV: expected at most ${choices.bytes.toLocaleString("en")} bytes, got ${file.size.toLocaleString("en")}`);
    return;
  }
  send({ type: "table", text: await file.text() });
}

document.getElementById("table").addEventListener("change", (event) => take(event.target.files[0]));
const drop = document.getElementById("drop");
addEventListener("dragover", (event) => { event.preventDefault(); drop.hidden = false; });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.hidden = true;
  take(event.dataTransfer.files[0]);
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  forgetColours();
  for (const net of Object.values(byName)) net.recolour();
});

// Drawing takes half of the time at most: the rest is for whoever uses the page.
function draw() {
  const started = performance.now();
  for (const net of Object.values(byName)) net.draw();
  document.documentElement.dataset.frames = frames;
  setTimeout(() => requestAnimationFrame(draw), performance.now() - started);
}
requestAnimationFrame(draw);
