// Sends what is chosen, and draws what comes back. The clients measure and the page counts what
// they saw; the server counts for itself, and the page says so when the two disagree.

const $ = (selector, within = document) => within.querySelector(selector);

const GUARDS = {
  none: "Without a guard",
  lock: "ApiLock",
  reject: "Idempotency, rejecting",
  wait: "Idempotency, waiting",
};

const OUTCOMES = {
  executed: ["executed", "Its handler ran and answered."],
  waited: ["waited", "It waited for the first one's handler and got the same answer."],
  replayed: ["replayed", "The handler did not run; this is the recorded answer."],
  refused: ["refused", "The guard refused it; the handler did not run."],
  failed: ["failed", "Its handler ran and failed."],
  left: ["hung up", "Its client hung up before there was an answer."],
};

/** One run: its requests, and the panel that shows them. */
class Run {
  constructor(settings) {
    this.settings = settings;
    this.ordersBefore = ordersOf.get(settings.key) ?? 0;
    this.began = performance.now();
    this.span = settings.millis * 1.2;
    this.panel = $("#panel").content.firstElementChild.cloneNode(true);
    this.panel.dataset.guard = settings.guard;
    $("h2", this.panel).textContent = GUARDS[settings.guard] + (settings.key ? ", the same key again" : "");
    this.counts = Object.keys(OUTCOMES).map((outcome) => this.#count(outcome));
    this.rows = Array.from({ length: settings.requests }, (_, n) => this.#row(n));
    $("#panels").append(this.panel);
    this.draw();
  }

  #count(outcome) {
    const item = document.createElement("li");
    const swatch = document.createElement("i");
    swatch.className = "swatch";
    swatch.dataset.outcome = outcome;
    const number = document.createElement("b");
    number.dataset.count = outcome;
    item.append(swatch, number, OUTCOMES[outcome][0]);
    $(".counts", this.panel).append(item);
    return { outcome, item, number };
  }

  #row(n) {
    const button = document.createElement("button");
    button.className = "row";
    button.type = "button";
    button.innerHTML = '<span class="number"></span><span class="track"><i class="bar"></i></span><span class="label"></span>';
    $(".number", button).textContent = n + 1;
    const row = { n, button, bar: $(".bar", button), label: $(".label", button), sent: 0 };
    button.addEventListener("click", () => show(this, row));
    const item = document.createElement("li");
    item.append(button);
    $(".rows", this.panel).append(item);
    return row;
  }

  /** Sends it, and draws until it has ended. */
  async go() {
    const answer = await fetch("runs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(this.settings),
    });
    if (!answer.ok) throw new Error(`The server says ${answer.status}: ${await answer.text()}`);
    const frames = setInterval(() => this.draw(), 50);
    try {
      for await (const event of lines(answer.body)) this.take(event);
    } finally {
      clearInterval(frames);
    }
    if (!this.tally) throw new Error("The server ended in the middle of a run.");
    this.draw();
  }

  take(event) {
    const row = this.rows[event.request];
    if (event.event === "run") {
      this.began = performance.now();
      this.key = event.key;
      this.panel.dataset.run = event.run;
    } else if (event.event === "sent") {
      row.sent = event.at;
    } else if (event.event === "end") {
      this.end(event);
    } else {
      Object.assign(row, event);
      row.outcome = this.outcome(row);
    }
  }

  end({ requests, tally }) {
    this.tally = tally;
    const lastEnd = Math.max(0, ...requests.map((request) => request.ended ?? 0));
    requests.forEach((seen, n) => {
      const row = this.rows[n];
      row.seen = seen;
      if (row.outcome === "waited" || row.outcome === "replayed")
        row.outcome = seen.arrived < lastEnd ? "waited" : "replayed";
    });
    const ends = this.rows.map((row) => Math.max(row.at ?? 0, row.seen.ended ?? 0));
    this.span = Math.ceil(Math.max(this.span, ...ends) / 200) * 200;
    ordersOf.set(this.key, this.ordersBefore + tally.orders);
  }

  /** What became of a request, as its client can tell. */
  outcome({ event, status, headers, at, sent }) {
    if (event === "left") return "left";
    if (event === "broken") return "failed";
    const header = new Headers(headers);
    if (header.has("idempotent-replayed")) return at - sent > this.settings.millis / 2 ? "waited" : "replayed";
    if (status < 400) return "executed";
    return header.get("content-type") === "application/problem+json" ? "refused" : "failed";
  }

  number(outcome) {
    return this.rows.filter((row) => row.outcome === outcome).length;
  }

  draw() {
    const now = performance.now() - this.began;
    if (!this.tally) this.span = Math.max(this.span, now);
    for (const row of this.rows) this.#drawRow(row, row.at ?? now);
    for (const { outcome, item, number } of this.counts) {
      number.textContent = this.number(outcome);
      item.classList.toggle("zero", this.number(outcome) === 0);
    }
    this.#drawOrders();
    const [, middle, end] = $(".axis", this.panel).children;
    middle.textContent = `${(this.span / 2000).toFixed(1)} s`;
    end.textContent = `${(this.span / 1000).toFixed(1)} s`;
  }

  #drawOrders() {
    const [number, text] = $(".orders", this.panel).children;
    number.textContent = this.tally?.orders ?? "…";
    if (!this.tally) return void (text.textContent = "orders really created");
    const { orders, handlers, cut_off } = this.tally;
    const all = this.ordersBefore + orders;
    const parts = [`${orders === 1 ? "order" : "orders"} really created`];
    if (this.ordersBefore) parts.push(`${all} with this key`);
    if (all > 1) parts.push(`${all - 1} too many`);
    parts.push(`${plural(handlers, "handler")} ran${cut_off ? ` (${cut_off} cut off)` : ""}`);
    text.textContent = parts.join(" · ");
    $(".orders", this.panel).classList.toggle("many", all > 1);
  }

  #drawRow(row, until) {
    place(row.bar, row.sent, until, this.span);
    row.bar.dataset.outcome = row.outcome ?? "open";
    const said = row.outcome ? OUTCOMES[row.outcome][0] : "…";
    row.label.textContent = row.status ? `${row.status} ${said}` : said;
    row.button.setAttribute("aria-label", `Request ${row.n + 1}: ${row.outcome ? row.label.textContent : "on its way"}`);
    if (row.seen?.began == null) return;
    const work = $(".work", row.button) ?? row.bar.parentElement.appendChild(document.createElement("i"));
    work.className = "work";
    place(work, row.seen.began, row.seen.ended, this.span);
  }

  /** Whether the page has counted what the server has. */
  agrees() {
    return Object.keys(OUTCOMES).every((outcome) => this.number(outcome) === this.tally[outcome]);
  }

  summary() {
    const parts = Object.entries(OUTCOMES).filter(([outcome]) => this.number(outcome));
    const told = parts.map(([outcome, [word]]) => `${this.number(outcome)} ${word}`).join(", ");
    return `${GUARDS[this.settings.guard]}: ${plural(this.tally.orders, "order")} (${told}).`;
  }
}

function place(element, from, to, span) {
  element.style.left = `${(100 * from) / span}%`;
  element.style.width = `${(100 * Math.max(0, to - from)) / span}%`;
}

function plural(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

/** Status, headers and body of a request that was chosen. */
function show(run, row) {
  const said = row.outcome ? row.label.textContent : "on its way";
  $("#details-title").textContent = `${GUARDS[run.settings.guard]}, request ${row.n + 1}: ${said}`;
  $("#details-story").textContent = story(row);
  const headers = (row.headers ?? []).map(([name, value]) => `${name}: ${value}`);
  const head = row.status ? [`HTTP/1.1 ${row.status}`, ...headers, "", row.body] : ["No answer."];
  $("#details-text").textContent = head.join("\n");
  $("#details").showModal();
}

function story(row) {
  const parts = [row.outcome ? OUTCOMES[row.outcome][1] : "There is no answer yet."];
  if (row.at !== undefined) parts.push(`It took ${row.at - row.sent} ms.`);
  if (row.outcome === "left" && row.seen?.began != null)
    parts.push(row.seen.cut_off ? "Its handler was cut off." : "Its handler ran to its end.");
  if (row.seen?.order) parts.push(`It created order ${row.seen.order}.`);
  return parts.join(" ");
}

let running = false;
/** The key that an order was last sent with, and how many orders each key has created. */
const keys = new Map();
const ordersOf = new Map();

function chosen() {
  const number = (id) => $(`#${id}`).valueAsNumber;
  return {
    guard: $("[name=guard]:checked").value,
    answer: $("#answer").value,
    requests: number("requests"),
    millis: number("millis"),
    leaving: number("leaving"),
  };
}

/** An order is the same when it is sent with the same key, and says the same. */
function order({ guard, answer, millis }) {
  return [guard, answer, millis].join();
}

async function send(again) {
  if (running) return;
  const settings = chosen();
  const kinds = $("#compare").checked && settings.guard !== "none" ? ["none", settings.guard] : [settings.guard];
  const all = kinds.map((guard) => ({ ...settings, guard }));
  if (again) for (const one of all) one.key = keys.get(order(one));
  running = true;
  enable();
  say("Sending.");
  $("#panels").replaceChildren();
  try {
    const runs = all.map((one) => new Run(one));
    lookAt($("#summary"));
    await Promise.all(runs.map((run) => run.go()));
    for (const run of runs) keys.set(order(run.settings), run.key);
    const agree = runs.every((run) => run.agrees());
    say(runs.map((run) => run.summary()).join(" ") + (agree ? "" : " The server counts differently!"), !agree);
  } catch (error) {
    say(error.message, true);
  }
  running = false;
  enable();
}

/** Scrolls, on a small screen, to what happens. */
function lookAt(element) {
  if ($("#panels").getBoundingClientRect().top < innerHeight * 0.6) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ behavior: still ? "auto" : "smooth" });
}

function say(text, wrong = false) {
  $("#summary").textContent = text;
  $("#summary").classList.toggle("wrong", wrong);
}

function enable() {
  const sent = keys.has(order(chosen()));
  // Not `disabled`, which would take the focus away from who uses the keyboard.
  $("#send").setAttribute("aria-disabled", running);
  $("#again").setAttribute("aria-disabled", running || !sent);
}

function tell() {
  for (const output of document.querySelectorAll("output")) {
    const input = document.getElementById(output.htmlFor.value);
    output.textContent = input.value + (input.dataset.unit ?? "");
  }
  enable();
}

$("#settings").addEventListener("submit", (event) => {
  event.preventDefault();
  send(false);
});
$("#again").addEventListener("click", (event) => {
  if (event.currentTarget.ariaDisabled !== "true") send(true);
});
$("#settings").addEventListener("input", tell);
tell();
