// A face that was missed: a box drawn at one moment, and at another; in between it moves straight.

const STEP = 0.01; // of the picture's width, by one press of an arrow key
const LEAST_PX = 4;

class Drawing {
  constructor(view) {
    this.view = view;
    this.bar = document.getElementById("drawing");
    this.rubber = document.getElementById("rubber");
    this.stage = document.getElementById("stage");
    this.boxes = [];
    this.box = null; // being drawn, in pixels of the picture
    this.from = null;
    this.wire();
  }

  wire() {
    const { stage } = this;
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    stage.addEventListener("pointerup", () => this.release());
    new ResizeObserver(() => this.show()).observe(stage);
    const on = (id, act) => document.getElementById(id).addEventListener("click", act);
    on("draw", () => this.begin());
    on("draw-set", () => this.set());
    on("draw-again", () => this.begin());
    on("draw-done", () => this.finish());
    on("draw-cancel", () => this.cancel());
  }

  get active() {
    return Boolean(this.box);
  }

  get open() {
    return !this.bar.hidden;
  }

  /** Begin a box: where the one before was, else in the middle. */
  begin() {
    const { medium } = this.view.report;
    this.view.player.video.pause();
    if (document.fullscreenElement) document.exitFullscreen();
    if (!this.open) this.offerPeople();
    const side = Math.min(medium.width, medium.height) / 4;
    const [x, y] = [(medium.width - side) / 2, (medium.height - side) / 2];
    const last = this.boxes[this.boxes.length - 1];
    this.box = last ? [...last.bbox] : [x, y, x + side, y + side];
    this.tell("Draw a box around the face, or move it with the arrow keys (with Shift: resize); then Set, or Enter.");
  }

  offerPeople() {
    const { model, chosen } = this.view;
    const people = model.people.filter(({ id }) => id !== NOBODY);
    const list = document.getElementById("draw-for");
    list.replaceChildren(h("option", { value: NOBODY }, "a new character"), ...people.map(({ id, name }) => h("option", { value: id }, name)));
    list.value = people.some(({ id }) => id === chosen) ? chosen : NOBODY;
  }

  tell(text) {
    this.bar.hidden = false;
    this.bar.querySelector("p").textContent = text;
    document.getElementById("draw-set").hidden = !this.active;
    for (const id of ["draw-again", "draw-done"]) document.getElementById(id).hidden = this.active;
    document.getElementById(this.active ? "draw-set" : "draw-again").focus({ preventScroll: true });
    this.show();
  }

  show() {
    const { rubber, box, view } = this;
    rubber.hidden = !box;
    this.stage.classList.toggle("drawing", Boolean(box));
    if (!box) return;
    const { x, y, w, h: height } = view.player.picture();
    const { medium } = view.report;
    const [sx, sy] = [w / medium.width, height / medium.height];
    const sides = { left: x + box[0] * sx, top: y + box[1] * sy, width: (box[2] - box[0]) * sx, height: (box[3] - box[1]) * sy };
    for (const [side, value] of Object.entries(sides)) rubber.style.setProperty(side, `${value}px`);
  }

  press(event) {
    if (!this.active) return;
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.from = this.point(event);
  }

  drag(event) {
    if (!this.from) return;
    const to = this.point(event);
    const [xs, ys] = [0, 1].map((i) => [this.from[i], to[i]].sort((a, b) => a - b));
    if (xs[1] - xs[0] >= LEAST_PX && ys[1] - ys[0] >= LEAST_PX) this.box = [xs[0], ys[0], xs[1], ys[1]];
    this.show();
  }

  release() {
    this.from = null;
  }

  point({ clientX, clientY }) {
    const { left, top } = this.stage.getBoundingClientRect();
    const { width, height } = this.view.report.medium;
    const [x, y] = this.view.player.toPicture(clientX - left, clientY - top);
    return [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
  }

  /** Arrow keys move the box, and resize it with Shift; Escape ends it; returns whether the key was meant. */
  key({ key, shiftKey }) {
    if (!this.open) return false;
    if (key === "Escape") this.cancel();
    else if (!this.active) return false;
    else if (key.startsWith("Arrow")) this.shift(key, shiftKey);
    else return false;
    return true;
  }

  shift(key, resize) {
    const { width, height } = this.view.report.medium;
    const by = STEP * width * (key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1);
    const way = key === "ArrowLeft" || key === "ArrowRight" ? 0 : 1;
    const [near, far, most] = [this.box[way], this.box[way + 2], way ? height : width];
    if (resize) this.box[way + 2] = Math.min(Math.max(far + by, near + LEAST_PX), most);
    else {
      const move = Math.min(Math.max(by, -near), most - far);
      this.box[way] += move;
      this.box[way + 2] += move;
    }
    this.show();
  }

  set() {
    const { player, report } = this.view;
    const time = Number(player.time.toFixed(6));
    const drawn = { time_s: time, bbox: this.box.map(Math.round) };
    const trouble = this.trouble(drawn);
    if (trouble) {
      this.view.say(trouble);
      return;
    }
    this.boxes = [...this.boxes.filter(({ time_s }) => Math.abs(time_s - time) > CLOCK_S), drawn].sort((a, b) => a.time_s - b.time_s);
    this.box = null;
    if (this.boxes.length > 1) this.finish();
    else this.tell(`Box at ${clock(time)}. Go to another moment of the face in this shot, and draw it there, too; or Done, if it is in this picture alone.`);
    if (report.rows.count) player.draw();
  }

  /** Why a box cannot be set here; empty where it can. */
  trouble({ time_s, bbox }) {
    const { report, player } = this.view;
    const shotOf = (time) => lastAtMost(report.shots.map(([start]) => start), time + CLOCK_S);
    if (this.boxes.some((other) => shotOf(other.time_s) !== shotOf(time_s))) return "Both boxes must lie in one shot: there is a cut between them.";
    const taken = player.faces.some(({ box }) => overlap(box, bbox) >= 0.4);
    return taken ? "There is a box already: choose it, and correct it." : "";
  }

  finish() {
    const person = Number(document.getElementById("draw-for").value);
    const drawn = this.boxes;
    this.close();
    if (!drawn.length) return;
    this.view.correct({ op: "add_face", person, drawn });
  }

  cancel() {
    this.close();
    this.view.say("No face was added");
  }

  close() {
    this.boxes = [];
    this.box = null;
    if (this.open) document.getElementById("draw").focus({ preventScroll: true });
    this.bar.hidden = true;
    this.show();
  }
}
