// The list: only the rows in view are elements, however many people there are.

const MOST_PX = 8e6; // browsers have no boxes of any height: beyond it, the bar moves more rows a pixel
const SPARE = 4; // rows above and below the view
const REST_MS = 60; // of the scrolling, before portraits are asked for
const KEPT = 4000; // portraits

class List {
  /** @param onchoose called with a number when a person is chosen, @param onload takes numbers, gives portraits. */
  constructor({ onchoose, ontick, load }) {
    this.box = $("list");
    this.holder = $("rows");
    this.rowPx = 4.25 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    Object.assign(this, { onchoose, ontick, load });
    this.rows = new Int32Array(0);
    this.pool = [];
    this.portraits = new Map();
    this.ticks = new Set();
    this.chosen = null;
    this.asked = 0;
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    this.box.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  show(crowd, rows) {
    this.crowd = crowd;
    this.rows = rows;
    this.place = new Map();
    for (let i = 0; i < rows.length; i += 1) this.place.set(crowd.identity[rows[i]], i);
    this.tall = rows.length * this.rowPx;
    $("space").style.height = `${Math.min(this.tall, MOST_PX)}px`;
    this.paint();
  }

  /** Draw in the next frame; once, however often it is asked for. */
  draw() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.paint();
    });
  }

  /** How far down the rows are, of all of them at full height. */
  get top() {
    const view = this.box.clientHeight, shown = Math.min(this.tall, MOST_PX);
    return shown > view ? (this.box.scrollTop * (this.tall - view)) / (shown - view) : 0;
  }

  paint() {
    if (!this.crowd) return;
    const view = this.box.clientHeight, { top } = this;
    const first = Math.max(0, Math.floor(top / this.rowPx) - SPARE);
    const count = Math.min(this.rows.length - first, Math.ceil(view / this.rowPx) + 2 * SPARE);
    this.holder.style.transform = `translateY(${this.box.scrollTop - (top - first * this.rowPx)}px)`;
    while (this.pool.length < count) this.pool.push(this.blank());
    for (let i = 0; i < this.pool.length; i += 1) {
      this.pool[i].element.hidden = i >= count;
      if (i < count) this.fill(this.pool[i], first + i);
    }
    const drawn = this.place.get(this.chosen);
    const isThere = drawn >= first && drawn < first + count;
    if (isThere) this.box.setAttribute("aria-activedescendant", `option-${this.chosen}`);
    else this.box.removeAttribute("aria-activedescendant");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetchPortraits(first, count), REST_MS);
  }

  blank() {
    const parts = { tick: h("span", { class: "tick", "aria-hidden": "true" }), face: h("span", { class: "face" }), name: h("span", { class: "name" }), facts: h("span", { class: "facts" }), dates: h("span", { class: "dates" }) };
    const element = h("div", { role: "option", class: "row" }, parts.tick, parts.face, h("span", { class: "words" }, parts.name, parts.facts), parts.dates);
    element.style.height = `${this.rowPx}px`;
    this.holder.append(element);
    return { element, parts, jpeg: null };
  }

  fill(one, at) {
    const { crowd } = this, row = this.rows[at], id = crowd.identity[row];
    const { element, parts } = one;
    element.id = `option-${id}`;
    element.dataset.id = id;
    element.setAttribute("aria-posinset", at + 1);
    element.setAttribute("aria-setsize", this.rows.length);
    element.setAttribute("aria-selected", String(this.ticks.has(id)));
    element.classList.toggle("chosen", id === this.chosen);
    const name = crowd.names.get(id);
    put(parts.name, name || `person ${id}`);
    parts.name.classList.toggle("unnamed", !name);
    put(parts.facts, `${plural(crowd.media[row], "medium", "media")}, ${clock(crowd.screen_time_s[row])}${name ? ` · ${id}` : ""}`);
    put(parts.dates, span(date(crowd.first_day[row]), date(crowd.last_day[row])));
    const jpeg = this.portraits.get(id) || "";
    if (one.jpeg !== jpeg) {
      one.jpeg = jpeg;
      parts.face.replaceChildren(portrait(jpeg));
    }
  }

  async fetchPortraits(first, count) {
    const ids = Array.from({ length: count }, (_, i) => this.crowd.identity[this.rows[first + i]]).filter((id) => id !== undefined && !this.portraits.has(id));
    if (!ids.length) return;
    const turn = ++this.asked;
    await this.portraitsOf(ids);
    if (turn === this.asked) this.draw();
  }

  /** Have the portraits of people, asked for once. */
  async portraitsOf(ids) {
    const lacking = ids.filter((id) => !this.portraits.has(id)).slice(0, 200);
    if (!lacking.length) return;
    let answer;
    try {
      answer = await this.load(lacking);
    } catch {
      return; // what is wrong is told by what was asked for besides
    }
    for (const id of lacking) this.portraits.set(id, answer[id] || "");
    for (const id of this.portraits.keys()) {
      if (this.portraits.size <= KEPT) break;
      this.portraits.delete(id);
    }
  }

  click({ target }) {
    const row = target.closest("[data-id]");
    if (!row) return;
    const id = Number(row.dataset.id);
    if (target.closest(".tick")) this.tick(id);
    else this.onchoose(id);
  }

  tick(id) {
    if (this.ticks.has(id)) this.ticks.delete(id);
    else this.ticks.add(id);
    this.paint();
    this.ontick();
  }

  choose(id, isRevealed) {
    this.chosen = id;
    if (isRevealed) this.reveal();
    this.paint();
  }

  /** Scroll as little as shows the chosen person. */
  reveal() {
    const at = this.place && this.place.get(this.chosen);
    if (at === undefined) return;
    const view = this.box.clientHeight, { top } = this;
    const from = at * this.rowPx, shown = Math.min(this.tall, MOST_PX);
    if (from >= top && from + this.rowPx <= top + view) return;
    const wanted = from < top ? from : from + this.rowPx - view;
    this.box.scrollTop = this.tall > view ? (wanted * (shown - view)) / (this.tall - view) : 0;
  }

  /** The person so many rows further, of the list. */
  step(by) {
    if (!this.rows.length) return null;
    const at = this.place.get(this.chosen);
    const next = at === undefined ? 0 : Math.min(this.rows.length - 1, Math.max(0, at + by));
    return this.crowd.identity[this.rows[next]];
  }

  get page() {
    return Math.max(1, Math.floor(this.box.clientHeight / this.rowPx) - 1);
  }
}
